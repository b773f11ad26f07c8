#!lua flags=allow-oom
-- Returns a claimed job to the queue as if it had not been claimed. ARGV: id, token. Returns 1, or 0 if the token isn't
-- the job's.
local job = load_hash('job:' .. ARGV[1])
if not job or job.status ~= 'running' or job.token ~= ARGV[2] then return 0 end
requeue(job, 'released', 'attempts', job.attempts - 1)
return 1
