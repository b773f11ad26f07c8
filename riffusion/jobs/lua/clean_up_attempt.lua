#!lua flags=allow-oom
-- Has the files of an attempt deleted that lost its job, unless somebody shows them after all. ARGV: id, folder.
redis.call('SADD', 'folders:' .. ARGV[1], ARGV[2])
redis.call('ZADD', 'sweep_at', now, 'job:' .. ARGV[1])
return 1
