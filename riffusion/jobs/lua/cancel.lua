#!lua flags=allow-oom
-- Ends a job that hasn't ended. ARGV: id. Returns the record, empty when there is none.
local job = load_hash('job:' .. ARGV[1])
if job and not is_terminal(job) then end_and_fence(job, 'canceled') end
return redis.call('HGETALL', 'job:' .. ARGV[1])
