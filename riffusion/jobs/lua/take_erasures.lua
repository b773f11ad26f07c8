#!lua flags=allow-oom
-- Leases erasures that the storage doesn't have yet to the process that will write them there, and reports that by
-- confirm_erasures.lua. ARGV: how many at most. Returns them as "<kind> <digest> <time>".
local turn_ms, hold = 5000, 60 -- one process writes at a time, so that the files don't become many

if redis.call('EXISTS', 'erasures') == 0 or not redis.call('SET', 'erasing', 1, 'NX', 'PX', turn_ms) then return {} end
local taken = redis.call('ZRANGEBYSCORE', 'erasures', '-inf', now, 'LIMIT', 0, ARGV[1])
for _, member in ipairs(taken) do redis.call('ZADD', 'erasures', now + hold, member) end
return taken
