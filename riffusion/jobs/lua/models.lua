#!lua flags=no-writes
-- Answers {model, workers, slots, waiting, running}, ... for every model known.
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
  local running = tonumber(redis.call('HGET', 'model:' .. model, 'running') or 0)
  reply[#reply + 1] = {model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model), running}
end
return reply
