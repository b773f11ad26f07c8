#!lua
-- uses: creation
-- Accepts all jobs of a batch or none; without jobs, only checks whether the idempotency key is known.
--
-- ARGV[1]: JSON {idem, digest, body, scopes, owner, anonymous, quota, jobs: [{tail, client, model, mode, schema,
-- request, inputs, pins, cost, weight, repeatable, webhook, prediction, webhook_events, cancel_after_s, degraded:
-- {request, schema, cost}}]}, all of one tenant.
-- `scopes` is that tenant and the networks around it; `degraded` is what a job becomes when the queue is long, where
-- that is allowed.
--
-- Returns {"accepted" | "replayed", {model, wake-ups, ...}, {creates left, seconds until whole} or {}, {record, place
-- or {}}, ...}; or a refusal: {"unknown"}, {"conflict"}, {"gone", id}, {"full", model}, {"no place", model},
-- {"draining", model}, {"no memory"}, {"no storage"}, {"blocked", reason}, {"no model", job's index}, {"no input",
-- job's index, pin's index}, {"too many", what}, {"too many creates", seconds to wait} or {"too many a day", seconds to
-- wait}.

local batch = cjson.decode(ARGV[1])
local scopes, quota = batch.scopes, batch.quota

if batch.idem then
  local known = load_hash('idem:' .. batch.idem)
  if known then
    -- A key of version 1 has no digest of the body as sent, only that of the request with its defaults.
    local same
    if known.body then same = known.body == batch.body else same = known.digest == batch.digest end
    if not same then return {'conflict'} end
    local reply = {'replayed', {}, {}}
    for _, id in ipairs(cjson.decode(known.ids)) do
      local found = record_with_place(id)
      if #found[1] == 0 then return {'gone', id} end
      reply[#reply + 1] = found
    end
    return reply
  end
end
if #batch.jobs == 0 then return {'unknown'} end
local blocked = refuse_blocked(scopes)
if blocked then return blocked end

-- A refusal if `count` more jobs may not wait for a model. A fifth of the places is reserved for tenants with a key. In
-- the second half, the fewer are free, the fewer each tenant may have, so that those with the most are refused first
-- (dynamic thresholds: Choudhury and Hahne 1998): it takes some forty tenants to fill it, not a few.
local function refuse_places(model, count)
  local places, free = limits.max_queued, limits.max_queued - redis.call('ZCARD', 'waiting:' .. model)
  if batch.anonymous then
    places = math.ceil(0.8 * places)
    free = math.min(free, places - tonumber(redis.call('ZSCORE', 'places:' .. model, 'anonymous') or 0))
  end
  if count > free then return {'full', model} end
  if free - count >= math.floor(places / 2) then return nil end
  for index, scope in ipairs(scopes) do
    local has = tonumber(redis.call('ZSCORE', 'places:' .. model, scope) or 0)
    local most = math.max(1, free * batch.jobs[1].weight / 8) * multiple(index)
    if has + count > most then return {'no place', model} end
  end
end

-- A refusal if the batch, of which `new` jobs will run, exceeds a limit of the tenant.
local function refuse_quota(new)
  local bytes = 0
  for _, job in ipairs(batch.jobs) do bytes = bytes + request_bytes(job) end
  for index, scope in ipairs(scopes) do
    local most = quota.jobs_in_flight * multiple(index)
    if most > 0 and new > 0 and redis.call('SCARD', 'active:' .. scope) + new > most then
      return {'too many', 'jobs_in_flight'}
    end
  end
  if exceeds(scopes, 'jobs', quota.jobs_kept, #batch.jobs) then return {'too many', 'jobs_kept'} end
  if exceeds(scopes, 'request_bytes', quota.request_bytes, bytes) then return {'too many', 'request_bytes'} end
  if new > 0 and exceeds(scopes, 'stored_bytes', quota.stored_bytes, 0) then return {'too many', 'stored_bytes'} end
end

local added, made, new = {}, {}, 0
for index, job in ipairs(batch.jobs) do
  if job.model ~= limits.model and redis.call('SISMEMBER', 'models', job.model) == 0 then
    return {'no model', index - 1} -- it never had a worker
  end
  job.owner, job.trace = batch.owner, batch.trace
  if #scopes > 1 then job.networks = cjson.encode({unpack(scopes, 2)}) end
  made[index] = find_made(job)
  local queued = redis.call('ZCARD', 'waiting:' .. job.model) + (added[job.model] or 0)
  if not made[index] and job.degraded and queued >= limits.degrade_queued then
    job.request, job.schema, job.cost = job.degraded.request, job.degraded.schema, job.degraded.cost
    made[index] = find_made(job)
  else
    job.degraded = nil
  end
  if not made[index] then
    added[job.model] = (added[job.model] or 0) + 1
    new = new + 1
  end
  local missing = find_inputs(job)
  if missing then return {'no input', index - 1, missing - 1} end
end
if not has_memory() then return {'no memory'} end
if new > 0 and storage_is_full(0) then return {'no storage'} end
for model, count in pairs(added) do
  if model_state(model) == 'draining' then return {'draining', model} end
  local refusal = refuse_places(model, count)
  if refusal then return refusal end
end
local refusal = refuse_quota(new)
if refusal then return refusal end
-- Last, because it takes creates: a refused batch costs none.
local too_many, left, whole = take_creates(scopes, quota, #batch.jobs)
if too_many then return too_many end

local ids, reply = {}, {'accepted', {}, left and {left, timestamp(whole)} or {}}
for index, job in ipairs(batch.jobs) do
  -- Microseconds plus the index in the batch: ids sort in the order of acceptance.
  job.id = string.format('%014x', tonumber(time[1]) * 1e6 + tonumber(time[2]) + index) .. job.tail
  create(job, made[index])
  ids[#ids + 1] = job.id
  reply[#reply + 1] = record_with_place(job.id)
end
if batch.idem then
  redis.call('HSET', 'idem:' .. batch.idem, 'digest', batch.digest, 'body', batch.body, 'ids', cjson.encode(ids))
  redis.call('EXPIRE', 'idem:' .. batch.idem, limits.idempotency_s)
end
for model, count in pairs(added) do
  table.insert(reply[2], model)
  table.insert(reply[2], math.min(count, missing_wakeups(model)))
end
return reply
