#!lua
-- Registers an upload. ARGV: id, client, creates a minute, sha256, key to use if no file has this content yet, then
-- further fields. Answers the record, or {"too many creates", seconds to wait}.
local id, client, sha256, key = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local wait = take_creates(client, tonumber(ARGV[3]), 1)
if wait > 0 then return {'too many creates', stamp(wait)} end
redis.call('HSETNX', 'content:' .. sha256, 'key', key)
redis.call('HSET', 'content:' .. sha256, id, 1)
key = redis.call('HGET', 'content:' .. sha256, 'key')
local expires = now + limits.upload_ttl_s
redis.call('HSET', 'upload:' .. id, 'schema', limits.schema, 'id', id, 'client', client, 'sha256', sha256, 'key', key,
  'created_at', stamp(now), 'expires_at', stamp(expires), unpack(ARGV, 6))
redis.call('ZADD', 'sweep', expires, 'upload:' .. id)
return redis.call('HGETALL', 'upload:' .. id)
