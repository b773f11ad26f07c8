#!lua flags=allow-oom
-- Stores a job's progress. ARGV: id, token, step, total, and the bytes of a new preview or "". Returns 1, or 0 when the
-- token is not the job's.
local id, token, step, total, preview = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local job = redis.call('HMGET', 'job:' .. id, 'status', 'token', 'lease_until', 'running_until')
if job[1] ~= 'running' or job[2] ~= token then return 0 end
local stalled = now + limits.stalled_deadline_s
schedule_reap(id, tonumber(job[3]), tonumber(job[4]), stalled)
if preview ~= '' then
  redis.call('SET', 'preview:' .. id, preview, 'EX', math.ceil(limits.stalled_deadline_s))
  redis.call('HINCRBY', 'job:' .. id, 'preview', 1)
end
update(id, 'step', step, 'total', total, 'stalled_until', timestamp(stalled))
return 1
