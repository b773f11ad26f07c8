#!lua flags=no-writes
-- What metrics show of all jobs, in time that grows with the number of models alone.
-- Returns {model, workers, slots, waiting, running, waiting cost, pace or "", slots of a worker or ""}, ... for every
-- model.
local workers, slots = count_workers()
local models = {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  local known = redis.call('HMGET', 'model:' .. model, 'running', 'waiting_cost', 'pace', 'worker_slots')
  models[#models + 1] = {
    model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model), tonumber(known[1] or 0),
    known[2] or '0', known[3] or '', known[4] or ''
  }
end
return models
