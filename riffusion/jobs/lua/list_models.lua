#!lua flags=no-writes
-- Returns {model, workers, slots, waiting, running, card, qualities, state}, ... for every model.
local workers, slots = {}, {}
for _, worker in ipairs(redis.call('SMEMBERS', 'workers')) do
  local presence = redis.call('HMGET', 'worker:' .. worker, 'model', 'slots')
  local model = presence[1]
  if model then
    workers[model] = (workers[model] or 0) + 1
    slots[model] = (slots[model] or 0) + presence[2]
  end
end
local reply = {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  local known = redis.call('HMGET', 'model:' .. model, 'running', 'card', 'qualities')
  reply[#reply + 1] = {
    model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model), tonumber(known[1] or 0),
    known[2] or '', known[3] or '', model_state(model)
  }
end
return reply
