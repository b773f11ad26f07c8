#!lua
-- Takes in all jobs or none. ARGV[1]: JSON {idem, digest, creates_per_minute, jobs_in_flight, jobs: [{tail, client, model,
-- mode, request, inputs, pins, cost, weight, repeatable, webhook, degraded: {request, cost}}]}, all of one client; without
-- jobs, only looks whether the idempotency key is known. `degraded` is what a job becomes when the queue is long, where
-- it may. Answers {"accepted" | "replayed", {model, wake-ups, ...}, {creates left, seconds until whole} or {},
-- {record, place or {}}, ...},
-- {"unknown"}, {"conflict"}, {"gone", id}, {"full", model}, {"no model", job's index},
-- {"no input", job's index, pin's index}, {"too many jobs"} or {"too many creates", seconds to wait}.

local order = cjson.decode(ARGV[1])

if order.idem then
  local known = load('idem:' .. order.idem)
  if known then
    if known.digest ~= order.digest then return {'conflict'} end
    local reply = {'replayed', {}, {}}
    for _, id in ipairs(cjson.decode(known.ids)) do
      local found = seen(id)
      if #found[1] == 0 then return {'gone', id} end
      reply[#reply + 1] = found
    end
    return reply
  end
end
if #order.jobs == 0 then return {'unknown'} end

-- The job that made the same for the same client before, while it is kept: its clip answers this one, too.
local function find_made(job)
  local id = job.repeatable and redis.call('GET', made_key(job))
  local made = id and load('job:' .. id)
  if made and made.client == job.client and made.model == job.model and made.request == job.request then return made end
end

local function write(job, status, ...)
  redis.call('HSET', 'job:' .. job.id,
    'schema', limits.schema, 'id', job.id, 'status', status, 'mode', job.mode, 'model', job.model,
    'client', job.client, 'request', job.request, 'inputs', job.inputs, 'pins', job.pins,
    'cost', job.cost, 'weight', job.weight, 'degraded', job.degraded and 1 or 0, 'created_at', stamp(now),
    'revision', 1, 'token', 0, 'attempts', 0, 'losses', 0, 'step', 0, 'total', 0, ...)
  if job.webhook then redis.call('HSET', 'job:' .. job.id, 'webhook', job.webhook, 'webhook_attempts', 0) end
  redis.call('ZADD', 'of:' .. job.client, 0, job.id)
end

local function queue(job)
  -- Start-time fair queueing: a client's next job starts when its last one ends, in virtual time.
  local vtime = tonumber(redis.call('HGET', 'model:' .. job.model, 'vtime') or 0)
  local last = tonumber(redis.call('ZSCORE', 'clients:' .. job.model, job.client) or 0)
  job.start = math.max(vtime, last)
  redis.call('ZADD', 'clients:' .. job.model, job.start + job.cost / job.weight, job.client)
  redis.call('SADD', 'models', job.model)
  redis.call('SADD', 'active:' .. job.client, job.id)
  for _, pin in ipairs(cjson.decode(job.pins)) do redis.call('SADD', 'pins:' .. pin, job.id) end
  write(job, 'queued', 'start', string.format('%.17g', job.start))
  enter_queue(job)
end

-- A job that has succeeded as soon as it is there. It shows its origin's files, which stay as long as either is kept.
local function copy(job, made)
  redis.call('SADD', 'pins:job:' .. made.id, job.id)
  job.pins = '[]'
  write(job, 'succeeded', 'completed_at', stamp(now), 'result', made.result, 'warnings', made.warnings, 'origin', made.id)
  redis.call('ZADD', 'sweep', now + limits.result_ttl_s, 'job:' .. job.id)
  notify(job)
end

local coming, made, news = {}, {}, 0
for index, job in ipairs(order.jobs) do
  if job.model ~= limits.model and redis.call('SISMEMBER', 'models', job.model) == 0 then
    return {'no model', index - 1} -- no worker ever announced it
  end
  made[index] = find_made(job)
  local queued = redis.call('ZCARD', 'waiting:' .. job.model) + (coming[job.model] or 0)
  if not made[index] and job.degraded and queued >= limits.degrade_queued then
    job.request, job.cost = job.degraded.request, job.degraded.cost
    made[index] = find_made(job)
  else
    job.degraded = nil
  end
  if not made[index] then
    coming[job.model] = (coming[job.model] or 0) + 1
    news = news + 1
  end
  local pins = cjson.decode(job.pins)
  for number = 1, #pins do
    local kind, id = string.match(pins[number], '^(%a+):(.*)$')
    local usable
    if kind == 'upload' then
      usable = redis.call('EXISTS', 'upload:' .. id) == 1
    else
      local earlier = redis.call('HMGET', 'job:' .. id, 'status', 'origin')
      usable = earlier[1] == 'succeeded'
      if earlier[2] then pins[#pins + 1] = 'job:' .. earlier[2] end -- a copy may go before this job ends
    end
    if not usable then return {'no input', index - 1, number - 1} end
  end
  if #pins > 0 then job.pins = cjson.encode(pins) end
end
for model, count in pairs(coming) do
  if redis.call('ZCARD', 'waiting:' .. model) + count > limits.max_queued then return {'full', model} end
end

local client = order.jobs[1].client
if order.jobs_in_flight > 0 and news > 0 and redis.call('SCARD', 'active:' .. client) + news > order.jobs_in_flight then
  return {'too many jobs'}
end
-- Last, because it takes: whatever is refused costs nothing.
local wait, left, whole = take_creates(client, order.creates_per_minute, news)
if wait > 0 then return {'too many creates', stamp(wait)} end

local ids, reply = {}, {'accepted', {}, left and {left, stamp(whole)} or {}}
for index, job in ipairs(order.jobs) do
  -- In microseconds and the place in the array: ids sort in the order of acceptance.
  job.id = string.format('%014x', tonumber(time[1]) * 1e6 + tonumber(time[2]) + index) .. job.tail
  if made[index] then copy(job, made[index]) else queue(job) end
  ids[#ids + 1] = job.id
  reply[#reply + 1] = seen(job.id)
end
if order.idem then
  redis.call('HSET', 'idem:' .. order.idem, 'digest', order.digest, 'ids', cjson.encode(ids))
  redis.call('EXPIRE', 'idem:' .. order.idem, limits.idempotency_s)
end
for model, count in pairs(coming) do
  table.insert(reply[2], model)
  table.insert(reply[2], math.min(count, missing_wakeups(model)))
end
return reply
