#!lua flags=allow-oom
-- Leases the first waiting job to a worker. ARGV: model, worker, nonce, of which the attempt's folder is a hash.
-- Returns the record, or nil.
local model, worker, nonce = ARGV[1], ARGV[2], ARGV[3]

local held = redis.call('HGETALL', 'held:' .. worker)
for i = 1, #held, 2 do
  if held[i + 1] == nonce then return redis.call('HGETALL', 'job:' .. held[i]) end
end
if redis.call('EXISTS', 'alone:' .. worker) == 1 or model_state(model) == 'paused' then return nil end

-- A job that has lost two workers starts in a worker that holds no other. The first busy worker that finds it reserves
-- it and takes no other job until it is empty; other workers skip it.
local function choose()
  for _, id in ipairs(redis.call('ZRANGE', 'waiting:' .. model, 0, 255)) do
    local job = redis.call('HMGET', 'job:' .. id, 'schema', 'solo', 'reserved')
    local schema, solo, reserved = tonumber(job[1]), job[2], job[3]
    if not schema then
      redis.call('ZREM', 'waiting:' .. model, id) -- deleted by another program
    elseif schema > limits.schema then
      -- Only a newer worker can make it: left to one.
    elseif not solo or #held == 0 then
      return load_hash('job:' .. id)
    elseif not reserved or reserved == worker or redis.call('EXISTS', 'worker:' .. reserved) == 0 then
      redis.call('HSET', 'job:' .. id, 'reserved', worker)
      return nil
    end
  end
end

local job = choose()
if not job then return nil end

-- Virtual time is the start tag of the job in service; finish tags before it have no effect any more.
local vtime = math.max(tonumber(redis.call('HGET', 'model:' .. model, 'vtime') or 0), tonumber(job.start))
redis.call('HSET', 'model:' .. model, 'vtime', string.format('%.17g', vtime))
redis.call('ZREMRANGEBYSCORE', 'clients:' .. model, '-inf', vtime)
if job.batch and job.attempts == (job.forgiven or '0') then -- see begin_waiting
  local last = math.max(vtime, tonumber(redis.call('ZSCORE', 'clients:' .. model, job.client) or 0))
  redis.call('ZADD', 'clients:' .. model, last + job.cost / job.weight, job.client)
end

leave_queue(job)
enter_worker(job, worker, nonce)
local lease, running = now + limits.lease_s, math.min(now + limits.running_deadline_s, cancel_time(job))
local stalled = now + limits.stalled_deadline_s
schedule_reap(job.id, lease, running, stalled)
redis.call('HDEL', 'job:' .. job.id, 'reserved')
-- The same nonce leases another job if it is sent again after its job was lost, so it alone doesn't make a folder.
local folder = 'results/' .. redis.sha1hex(nonce .. ' ' .. job.id .. ' ' .. job.token) .. '/'
redis.call('SADD', 'folders:' .. job.id, folder)
redis.call('ZADD', 'sweep_at', 'NX', now + limits.result_ttl_s, 'job:' .. job.id) -- however it ends, in version 1 too
update(job.id, 'status', 'running', 'worker', worker, 'folder', folder, 'token', job.token + 1,
  'attempts', job.attempts + 1, 'started_at', timestamp(now), 'lease_until', timestamp(lease),
  'running_until', timestamp(running), 'stalled_until', timestamp(stalled))
if job.attempts == '0' then schedule_webhook(job, 'running') end
return redis.call('HGETALL', 'job:' .. job.id)
