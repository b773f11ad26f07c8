#!lua flags=allow-oom
-- Lets a client create nothing more. ARGV: the client, reason, who did it, seconds for which that holds; 0: for good.
local key = 'blocked:' .. ARGV[1]
redis.call('HSET', key, 'reason', ARGV[2], 'by', ARGV[3], 'at', timestamp(now))
redis.call('PERSIST', key)
if tonumber(ARGV[4]) > 0 then redis.call('EXPIRE', key, ARGV[4]) end
return 1
