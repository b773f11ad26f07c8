#!lua flags=allow-oom
-- Ends or requeues jobs that are due, and counts the slots of live workers. Returns {model, wake-ups to publish, ...}.

local function detail(text)
  return cjson.encode({code = 'deadline_exceeded', detail = text})
end

local function reap(id)
  local job = load_hash('job:' .. id)
  if not job then
    redis.call('ZREM', 'due', id) -- deleted by another program
    return
  elseif now >= cancel_time(job) then
    end_and_fence(job, 'canceled')
    return
  elseif job.status == 'queued' then
    end_and_fence(job, 'failed', 'error', detail('The job waited longer than its deadline allows.'))
    return
  end
  -- The first of a running job's three timers to run out decides: if its worker was lost before a deadline, it is
  -- requeued.
  local lease = tonumber(job.lease_until)
  if now >= tonumber(job.running_until) and tonumber(job.running_until) < lease then
    end_and_fence(job, 'failed', 'error', detail('The job ran longer than its deadline allows.'))
  elseif now >= tonumber(job.stalled_until) and tonumber(job.stalled_until) < lease then
    end_and_fence(job, 'failed', 'error', detail('The job made no progress for longer than its deadline allows.'))
  elseif job.attempts - (job.forgiven or 0) >= limits.max_attempts then -- forgiven: those before an operator's requeue
    local text = string.format('Its worker was lost %d times.', job.losses + 1)
    end_and_fence(job, 'failed', 'losses', job.losses + 1, 'error', cjson.encode({code = 'worker_lost', detail = text}))
  elseif job.losses + 1 >= math.min(2, limits.max_attempts - 1) then
    requeue(job, 'worker_lost', 'losses', job.losses + 1, 'solo', 1) -- at the latest in its last attempt
  else
    requeue(job, 'worker_lost', 'losses', job.losses + 1)
  end
end

-- Reap hasn't run for a while, so Redis was away, and had no heartbeats either: workers first get the time to send one.
local function extend_leases()
  local lease = now + limits.lease_s
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'due', '-inf', lease)) do
    local job = load_hash('job:' .. id)
    if job and job.status == 'running' then
      local stalled = math.max(tonumber(job.stalled_until), lease)
      redis.call('HSET', 'job:' .. id, 'lease_until', timestamp(lease), 'stalled_until', timestamp(stalled))
      schedule_reap(id, lease, tonumber(job.running_until), stalled)
    end
  end
end

local function count_slots()
  local slots = {}
  for _, worker in ipairs(redis.call('SMEMBERS', 'workers')) do
    local presence = redis.call('HMGET', 'worker:' .. worker, 'model', 'slots')
    if presence[1] then
      slots[presence[1]] = (slots[presence[1]] or 0) + presence[2]
    else
      redis.call('SREM', 'workers', worker)
    end
  end
  return slots
end

local last = tonumber(redis.call('GET', 'reaped_at') or now)
redis.call('SET', 'reaped_at', timestamp(now))
if now - last > math.max(3, limits.lease_s / 2) then
  extend_leases()
else
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'due', '-inf', now, 'LIMIT', 0, 100)) do reap(id) end
end

drop_stale('webhooks:pending', function(id)
  return redis.call('HGET', 'job:' .. id, 'webhook_state') ~= 'pending'
end)
local slots, wakeups = count_slots(), {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  redis.call('HSET', 'model:' .. model, 'slots', slots[model] or 0)
  drop_stale('queued:' .. model, function(id) return not redis.call('ZSCORE', 'waiting:' .. model, id) end)
  local missing = missing_wakeups(model)
  -- Many processes reap; one of them publishes.
  if missing > 0 and redis.call('SET', 'waking:' .. model, 1, 'NX', 'PX', 500) then
    wakeups[#wakeups + 1] = model
    wakeups[#wakeups + 1] = missing
  end
end
return wakeups
