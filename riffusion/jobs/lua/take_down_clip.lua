#!lua flags=allow-oom
-- Takes a clip down, wherever it is published, and remembers that after a restore of Redis. ARGV: digest of the clip,
-- share id or "", reason, who did it.
redis.call('HSET', 'takedown:' .. ARGV[1], 'share', ARGV[2], 'reason', ARGV[3], 'by', ARGV[4], 'at', timestamp(now))
redis.call('ZADD', 'takedowns', now_us, ARGV[1])
redis.call('ZADD', 'erasures', now, 'takedown ' .. ARGV[1] .. ' ' .. math.floor(now))
forget_reports(ARGV[2])
return 1
