#!lua flags=allow-oom
-- Gives a claimed job back as if it had not been claimed. ARGV: id, token. Returns 1, or 0 when it isn't held any more.
local job = load('job:' .. ARGV[1])
if not job or job.status ~= 'running' or job.token ~= ARGV[2] then return 0 end
requeue(job, 'attempts', job.attempts - 1)
return 1
