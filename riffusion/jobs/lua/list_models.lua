#!lua flags=no-writes
-- Returns {model, workers, slots, waiting, running, card, qualities, state}, ... for every model.
local workers, slots = count_workers()
local reply = {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  local known = redis.call('HMGET', 'model:' .. model, 'running', 'card', 'qualities')
  reply[#reply + 1] = {
    model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model), tonumber(known[1] or 0),
    known[2] or '', known[3] or '', model_state(model)
  }
end
return reply
