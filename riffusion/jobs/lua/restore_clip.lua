#!lua flags=allow-oom
-- Ends a take-down, and remembers that after a restore of Redis. ARGV: digest of the clip. Returns 1, or 0 if there was
-- none.
redis.call('ZREM', 'takedowns', ARGV[1])
if redis.call('DEL', 'takedown:' .. ARGV[1]) == 0 then return 0 end
redis.call('ZADD', 'erasures', now, 'reinstatement ' .. ARGV[1] .. ' ' .. math.floor(now))
return 1
