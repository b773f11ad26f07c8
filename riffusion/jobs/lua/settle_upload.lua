#!lua flags=allow-oom
-- Has the file of an upload deleted whose record went while the file was stored, unless other uploads share it. ARGV:
-- id, sha256, key. Returns 1.
local id, sha256, key = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', 'upload:' .. id) == 0 and redis.call('HGET', 'content:' .. sha256, 'key') ~= key then
  redis.call('ZADD', 'sweep_at', now, 'file:' .. key)
end
return 1
