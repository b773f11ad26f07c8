#!lua flags=allow-oom
-- Replaces the record of a job whose files are gone by a tombstone that says so, and has what is left of them deleted.
-- ARGV: id, its result. Returns 1, or 0 where it has no such result any more.
local job = load_hash('job:' .. ARGV[1])
if not job or job.status ~= 'succeeded' or job.result ~= ARGV[2] then return 0 end
redis.call('ZADD', 'sweep_at', now, 'job:' .. job.id)
delete_record(job)
redis.call('SET', 'lost:' .. job.id, 1, 'EX', limits.tombstone_s)
redis.call('PUBLISH', 'events', job.id .. ' ' .. job.revision + 1)
return 1
