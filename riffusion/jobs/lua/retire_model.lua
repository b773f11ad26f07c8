#!lua flags=allow-oom
-- Fails up to 100 jobs that wait for a model without workers, and forgets the model once none is left. To be repeated
-- while jobs wait; from the first call on it takes no new ones. ARGV: model, and 1 to do it or 0 to check only.
-- Returns {"failed", count}, {"retired"}, or a refusal: {"no model"}, {"default"}, {"workers", count}, {"running",
-- count}.
local model = ARGV[1]
if model == limits.model then return {'default'} end
if redis.call('SISMEMBER', 'models', model) == 0 then return {'no model'} end
local workers = count_workers()[model]
if workers then return {'workers', workers} end
local running = tonumber(redis.call('HGET', 'model:' .. model, 'running') or 0)
if running > 0 then return {'running', running} end
if ARGV[2] == '0' then return {'retired'} end

redis.call('HSET', 'model:' .. model, 'state', 'draining')
local ids = redis.call('ZRANGE', 'waiting:' .. model, 0, 99)
for _, id in ipairs(ids) do
  local job = load_hash('job:' .. id)
  if job then
    local detail = 'The operator has retired the model ' .. model .. '.'
    end_and_fence(job, 'failed', 'error', cjson.encode({code = 'model_retired', detail = detail}))
  else
    redis.call('ZREM', 'waiting:' .. model, id) -- deleted by another program
    redis.call('ZREM', 'queued:' .. model, id)
  end
end
if #ids > 0 then return {'failed', #ids} end
local held = tonumber(redis.call('HGET', 'model:' .. model, 'held') or 0)
redis.call('SREM', 'models', model)
redis.call('DEL', 'model:' .. model, 'clients:' .. model, 'places:' .. model, 'queued:' .. model,
  'waking:' .. model, 'riffusion.' .. model)
-- Until feed_batches has ended the batches.
if held > 0 then redis.call('HSET', 'model:' .. model, 'held', held) end
return {'retired'}
