#!lua flags=allow-oom
-- Leases the first waiting job to a worker. ARGV: model, worker, nonce, of which the attempt's folder is a hash.
-- Returns the record, or nothing.
local model, worker, nonce = ARGV[1], ARGV[2], ARGV[3]

local held = redis.call('HGETALL', 'held:' .. worker)
for i = 1, #held, 2 do
  if held[i + 1] == nonce then return redis.call('HGETALL', 'job:' .. held[i]) end
end
if redis.call('EXISTS', 'alone:' .. worker) == 1 then return nil end

-- A job that two workers died under starts in a worker that holds nothing else. The first worker that meets it while
-- busy takes no other until it is empty; other workers pass it by.
local function choose()
  for _, id in ipairs(redis.call('ZRANGE', 'waiting:' .. model, 0, 255)) do
    local job = redis.call('HMGET', 'job:' .. id, 'schema', 'solo', 'reserved')
    local schema, solo, reserved = tonumber(job[1]), job[2], job[3]
    if not schema then
      redis.call('ZREM', 'waiting:' .. model, id) -- deleted behind the store's back
    elseif schema > limits.schema then
      -- Asks for what only a newer worker can make: left to one.
    elseif not solo or #held == 0 then
      return load('job:' .. id)
    elseif not reserved or reserved == worker or redis.call('EXISTS', 'worker:' .. reserved) == 0 then
      redis.call('HSET', 'job:' .. id, 'reserved', worker)
      return nil
    end
  end
end

local job = choose()
if not job then return nil end

-- Virtual time is the start tag of the job in service; clients that it has passed are as good as new.
local vtime = math.max(tonumber(redis.call('HGET', 'model:' .. model, 'vtime') or 0), tonumber(job.start))
redis.call('HSET', 'model:' .. model, 'vtime', string.format('%.17g', vtime))
redis.call('ZREMRANGEBYSCORE', 'clients:' .. model, '-inf', vtime)

leave_queue(job)
enter_worker(job, worker, nonce)
local lease, running = now + limits.lease_s, now + limits.running_deadline_s
local stalled = now + limits.stalled_deadline_s
watch(job.id, lease, running, stalled)
redis.call('HDEL', 'job:' .. job.id, 'reserved')
-- A nonce that is sent again after its job was lost leases another one: the folder is that of this attempt alone.
local folder = 'results/' .. redis.sha1hex(nonce .. ' ' .. job.id .. ' ' .. job.token) .. '/'
redis.call('SADD', 'folders:' .. job.id, folder)
redis.call('ZADD', 'sweep_at', 'NX', now + limits.result_ttl_s, 'job:' .. job.id) -- whoever ends it, version 1 too
change(job.id, 'status', 'running', 'worker', worker, 'folder', folder, 'token', job.token + 1, 'attempts', job.attempts + 1,
  'started_at', stamp(now), 'lease_until', stamp(lease), 'running_until', stamp(running), 'stalled_until', stamp(stalled))
return redis.call('HGETALL', 'job:' .. job.id)
