-- How a job comes into being: by accept.lua, or as the next of a batch by feed_batches.lua.

-- An earlier job of the same request and owner whose clip is still kept: it serves this job, too.
local function find_made(job)
  local id = job.repeatable and (redis.call('GET', made_key(job)) or redis.call('GET', made_key(job, job.client)))
  local made = id and load_hash('job:' .. id)
  if made and (made.owner or made.client) == (job.owner or job.client) and made.model == job.model
    and made.request == job.request then return made end
end

-- Fills in whose files a job needs; returns the index of an input that isn't there, or nil.
local function find_inputs(job)
  local pins = cjson.decode(job.pins)
  for number = 1, #pins do
    local kind, id = string.match(pins[number], '^(%a+):(.*)$')
    local usable
    if kind == 'upload' then
      usable = has_upload(id)
    else
      local earlier = redis.call('HMGET', 'job:' .. id, 'status', 'origin')
      usable = earlier[1] == 'succeeded'
      if earlier[2] then pins[#pins + 1] = 'job:' .. earlier[2] end -- a copy may be deleted before this job ends
    end
    if not usable then return number end
  end
  if #pins > 0 then job.pins = cjson.encode(pins) end
end

-- What a job's record keeps of what was sent.
local function request_bytes(job)
  return #job.request + #(job.prediction or '')
end

local function write(job, status, ...)
  local key = 'job:' .. job.id
  redis.call('HSET', key,
    'schema', job.schema, 'id', job.id, 'status', status, 'mode', job.mode, 'model', job.model,
    'client', job.client, 'request', job.request, 'inputs', job.inputs, 'pins', job.pins,
    'cost', job.cost, 'weight', job.weight, 'degraded', job.degraded and 1 or 0, 'created_at', timestamp(now),
    'revision', 1, 'token', 0, 'attempts', 0, 'losses', 0, 'step', 0, 'total', 0,
    'request_bytes', request_bytes(job), ...)
  redis.call('ZADD', 'jobs', 0, job.id)
  if job.networks then redis.call('HSET', key, 'networks', job.networks) end
  for header, value in pairs(job.trace or {}) do redis.call('HSET', key, header, value) end
  if job.webhook then redis.call('HSET', key, 'webhook', job.webhook, 'webhook_attempts', 0) end
  if job.prediction then
    redis.call('HSET', key, 'prediction', job.prediction, 'webhook_events', job.webhook_events)
  end
  if job.cancel_at then redis.call('HSET', key, 'cancel_at', job.cancel_at) end
  if job.owner then
    redis.call('HSET', key, 'owner', job.owner)
    redis.call('ZADD', 'of:' .. job.owner, 0, job.id)
  end
  if job.batch then
    redis.call('HSET', key, 'batch', job.batch, 'batch_index', job.batch_index, 'waits_until', job.waits_until)
  end
  count_kept(scopes_of(job), 'jobs', 1)
  count_kept(scopes_of(job), 'request_bytes', request_bytes(job))
end

local function queue(job)
  job.cancel_at = job.cancel_after_s and timestamp(now + job.cancel_after_s)
  begin_waiting(job)
  write(job, 'queued', 'start', string.format('%.17g', job.start))
  enter_queue(job)
end

-- Creates a job that has succeeded already. It shows its origin's files, which stay while either is kept.
local function copy(job, made)
  redis.call('SADD', 'pins:job:' .. made.id, job.id)
  job.pins = '[]'
  write(job, 'succeeded', 'completed_at', timestamp(now), 'result', made.result, 'warnings', made.warnings,
    'origin', made.id)
  redis.call('ZADD', 'sweep_at', now + limits.result_ttl_s, 'job:' .. job.id)
  schedule_webhook(job, 'succeeded')
  count_end(job.model, 'succeeded', 'copied')
  if job.batch then settle(job, 'succeeded') end
end

-- Creates a job, which `made` serves where there is one.
local function create(job, made)
  if made then copy(job, made) else queue(job) end
end
