#!lua flags=allow-oom
-- Ends a job that hasn't, replaces it by a tombstone and has its files deleted.
-- ARGV: id. Returns 1, or 0 if there is no such job.
local job = load_hash('job:' .. ARGV[1])
if not job then return 0 end
if not is_terminal(job) then end_and_fence(job, 'canceled') end
-- The files of a single attempt that succeeded are complete; others may still be written for a moment.
local settled = job.status == 'succeeded' and job.attempts == '1' or job.attempts == '0'
redis.call('ZADD', 'sweep_at', now + (settled and 0 or 2 * limits.lease_s), 'job:' .. job.id)
delete_record(job)
redis.call('PUBLISH', 'events', job.id .. ' ' .. job.revision + 2)
return 1
