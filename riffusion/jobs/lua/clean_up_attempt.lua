#!lua flags=allow-oom
-- Has the files of an attempt that lost its job deleted, unless another job shows them. ARGV: id, folder.
redis.call('SADD', 'folders:' .. ARGV[1], ARGV[2])
redis.call('ZADD', 'sweep_at', now, 'job:' .. ARGV[1])
return 1
