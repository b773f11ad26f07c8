#!lua flags=no-writes
-- Models, and a page of workers with the jobs that they hold, as of one moment. ARGV: workers at most; cursor or "".
-- Returns {now, {{model, workers, slots, waiting, running, of them held by workers alive, seconds until those that wait
-- have been made or "", state}, ...}, {{worker, model or "" once its lease has run out, slots, seconds since its last
-- heartbeat or "", job that must run alone or "", {{id, client, mode, step, total, attempts, started_at, lease_until},
-- ...}}, ...}, cursor for the next page or ""}.
local limit, cursor = tonumber(ARGV[1]), ARGV[2]

local names = redis.call('SMEMBERS', 'workers')
table.sort(names)
local workers, slots, held = {}, {}, {}
for _, name in ipairs(names) do
  local presence = redis.call('HMGET', 'worker:' .. name, 'model', 'slots')
  local model = presence[1]
  if model then
    workers[model] = (workers[model] or 0) + 1
    slots[model] = (slots[model] or 0) + presence[2]
    held[model] = (held[model] or 0) + redis.call('HLEN', 'held:' .. name)
  end
end

local function clears_in(model)
  local known = redis.call('HMGET', 'model:' .. model, 'waiting_cost', 'pace')
  if not known[2] or not slots[model] then return '' end
  return timestamp((known[1] or 0) * known[2] / slots[model])
end

local models = {}
for _, model in ipairs(redis.call('SMEMBERS', 'models')) do
  models[#models + 1] = {
    model, workers[model] or 0, slots[model] or 0, redis.call('ZCARD', 'waiting:' .. model),
    tonumber(redis.call('HGET', 'model:' .. model, 'running') or 0), held[model] or 0, clears_in(model),
    model_state(model)
  }
end

local function jobs_of(name)
  local jobs = {}
  for _, id in ipairs(redis.call('HKEYS', 'held:' .. name)) do
    local job = redis.call('HMGET', 'job:' .. id, 'client', 'mode', 'step', 'total', 'attempts', 'started_at',
      'lease_until')
    if job[7] then jobs[#jobs + 1] = {id, unpack(job)} end -- or it was deleted by another program
  end
  return jobs
end

local shown, next_cursor = {}, ''
for _, name in ipairs(names) do
  if name > cursor then
    if #shown == limit then
      next_cursor = shown[limit][1]
      break
    end
    local presence = redis.call('HMGET', 'worker:' .. name, 'model', 'slots', 'seen')
    shown[#shown + 1] = {
      name, presence[1] or '', tonumber(presence[2] or 0), presence[3] and timestamp(now - presence[3]) or '',
      redis.call('GET', 'alone:' .. name) or '', jobs_of(name)
    }
  end
end
return {timestamp(now), models, shown, next_cursor}
