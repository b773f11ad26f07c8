#!lua flags=allow-oom
-- Extends leases. ARGV: worker, then id and token of each job it runs. Returns the ids that it has lost.
local worker, lost = ARGV[1], {}
for i = 2, #ARGV, 2 do
  local id, token = ARGV[i], ARGV[i + 1]
  local job = redis.call('HMGET', 'job:' .. id, 'status', 'token', 'worker', 'running_until', 'stalled_until')
  if job[1] == 'running' and job[2] == token and job[3] == worker then
    local lease = now + limits.lease_s
    redis.call('HSET', 'job:' .. id, 'lease_until', timestamp(lease))
    schedule_reap(id, lease, tonumber(job[4]), tonumber(job[5]))
  else
    lost[#lost + 1] = id
  end
end
return lost
