#!lua flags=allow-oom
-- Pauses, drains or resumes a model. ARGV: model, "paused", "draining" or "active". Returns 1, or 0 if there is no such
-- model. The state stays until it is set again, whichever processes run.
local model, state = ARGV[1], ARGV[2]
if model ~= limits.model and redis.call('SISMEMBER', 'models', model) == 0 then return 0 end
redis.call('SADD', 'models', model)
if state == 'active' then
  redis.call('HDEL', 'model:' .. model, 'state')
else
  redis.call('HSET', 'model:' .. model, 'state', state)
end
return 1
