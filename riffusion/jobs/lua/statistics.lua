#!lua flags=no-writes
-- What metrics show of all jobs, in time that grows with the number of models alone. Returns
--   {{model, workers, slots, waiting, running, waiting cost, pace or "", slots of a worker or "", seconds for which the
--   first of its waiting jobs has waited, state, requests of batches that aren't jobs yet}, ...} for every model,
--   {"<status> <reason> <model>", jobs that have ended so, ...},
--   {pending webhooks, seconds for which one has been due that no process has taken},
--   {entries of the sweep that are due or being deleted, seconds since the first of them was due or begun},
--   {stored bytes, bytes of memory, bytes of memory from which new jobs are refused or 0},
--   published clips with reports that no operator has dealt with.

local function age(since)
  return timestamp(math.max(0, now - (tonumber(since) or now)))
end

local function first(index)
  return redis.call('ZRANGE', index, 0, 0, 'WITHSCORES')[2]
end

local workers, slots = count_workers()
local models = {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  local known = redis.call('HMGET', 'model:' .. model, 'running', 'waiting_cost', 'pace', 'worker_slots', 'held')
  local state = model_state(model)
  local waiting_cost = state ~= 'paused' and known[2] or '0' -- no worker would take it
  models[#models + 1] = {
    model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model), tonumber(known[1] or 0),
    waiting_cost, known[3] or '', known[4] or '', age(first('queued:' .. model)), state,
    tonumber(known[5] or 0)
  }
end

-- Entries of score 0 are due at once, since when isn't known.
local due = redis.call('ZRANGEBYSCORE', 'sweep_at', '(0', now, 'WITHSCORES', 'LIMIT', 0, 1)[2]
local backlog = redis.call('ZCOUNT', 'sweep_at', '-inf', now) + redis.call('ZCARD', 'sweeping')
local used_memory, max_memory = read_memory()

return {
  models,
  redis.call('HGETALL', 'ended'),
  {redis.call('ZCARD', 'webhooks:pending'), age(first('webhooks'))},
  {backlog, age(math.min(tonumber(due) or now, tonumber(first('sweeping')) or now))},
  {tonumber(redis.call('HGET', 'kept:all', 'stored_bytes') or 0), used_memory, max_memory},
  redis.call('ZCARD', 'reported')
}
