#!lua flags=allow-oom
-- Replaces the record of a key, if it is still as it was read: a change at the same time isn't lost, and a key that was
-- revoked stays so. A secret that was replaced is remembered as erased. ARGV: id, the record that was read, the new
-- one. Returns 1, or 0 if it wasn't replaced.
if redis.call('HGET', 'keys', ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', 'keys', ARGV[1], ARGV[3])
local before = cjson.decode(ARGV[2]).digest
if before ~= cjson.decode(ARGV[3]).digest then remember_erasure('secret', before) end
return 1
