#!lua flags=allow-oom
-- Deletes an API key, and remembers that after a restore. ARGV: its id. Returns 1, or 0 if there is none.
if redis.call('HDEL', 'keys', ARGV[1]) == 0 then return 0 end
remember_erasure('key', ARGV[1])
return 1
