#!lua flags=allow-oom
-- Has the sweep delete an upload as soon as no job needs it, and remembers that after a restore. ARGV: id.
if redis.call('EXISTS', 'upload:' .. ARGV[1]) == 0 then return 0 end
redis.call('ZADD', 'sweep_at', 0, 'upload:' .. ARGV[1])
remember_erasure('upload', ARGV[1])
return 1
