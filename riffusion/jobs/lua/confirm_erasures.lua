#!lua flags=allow-oom
-- Removes erasures that a file in the storage has, which the sweep deletes when its time is over. ARGV: the file's key,
-- seconds for which it is kept, then the erasures.
redis.call('ZADD', 'sweep_at', now + tonumber(ARGV[2]), 'file:' .. ARGV[1])
for index = 3, #ARGV do redis.call('ZREM', 'erasures', ARGV[index]) end
return 1
