#!lua flags=allow-oom
-- Ends a job if need be, puts a tombstone in its place and has its files deleted. ARGV: id. Returns 1, or 0: no such job.
local job = load('job:' .. ARGV[1])
if not job then return 0 end
if not is_terminal(job) then revoke(job, 'canceled') end
-- Files of a single attempt that succeeded are complete; anything else may still be written for a moment.
local settled = job.status == 'succeeded' and job.attempts == '1' or job.attempts == '0'
redis.call('ZADD', 'sweep_at', now + (settled and 0 or 2 * limits.lease_s), 'job:' .. job.id)
forget(job)
redis.call('PUBLISH', 'events', job.id .. ' ' .. job.revision + 2)
return 1
