-- What the scripts of batches share.

-- Seconds for which a draft waits for its next requests, before it counts as abandoned.
local draft_s = 300

-- Takes the requests that aren't jobs yet off a batch, and what is charged or kept for them.
local function drop_lines(batch)
  local held = redis.call('LLEN', 'batch_lines:' .. batch.id)
  if held > 0 then
    count_kept({batch.client}, 'jobs', -held)
    count_kept({batch.client}, 'request_bytes', -batch.held_bytes)
    if batch.status ~= 'draft' and redis.call('HINCRBY', 'model:' .. batch.model, 'held', -held) == 0 then
      redis.call('HDEL', 'model:' .. batch.model, 'held')
    end
  end
  redis.call('HSET', 'batch:' .. batch.id, 'held_bytes', 0)
  redis.call('UNLINK', 'batch_lines:' .. batch.id)
  for _, pin in ipairs(redis.call('SMEMBERS', 'batch_pins:' .. batch.id)) do
    redis.call('SREM', 'pins:' .. pin, 'batch:' .. batch.id)
  end
  redis.call('DEL', 'batch_pins:' .. batch.id)
  return held
end

-- Ends the requests that aren't jobs yet.
local function end_rest(batch, status, error)
  local held = drop_lines(batch)
  if held == 0 then return end
  redis.call('HSET', 'batch:' .. batch.id, 'rest', status, 'rest_error', error and cjson.encode(error) or '')
  redis.call('HINCRBY', 'batch:' .. batch.id, status, held)
  update_batch(batch.id)
end

-- Ends everything of a batch that hasn't ended.
local function cancel_batch(batch)
  end_rest(batch, 'canceled')
  for _, id in ipairs(redis.call('HKEYS', 'batch_open:' .. batch.id)) do
    local job = load_hash('job:' .. id)
    if job and not is_terminal(job) then end_and_fence(job, 'canceled') end
  end
end

-- Removes the ids that a batch's client gave to its requests, and what is charged for them.
local function drop_ids(batch)
  redis.call('UNLINK', 'batch_ids:' .. batch.id)
  local bytes = redis.call('HGET', 'batch:' .. batch.id, 'ids_bytes')
  if bytes ~= '0' then count_kept({batch.client}, 'request_bytes', -bytes) end
  redis.call('HSET', 'batch:' .. batch.id, 'ids_bytes', 0)
end

-- {record or {}, jobs that wait, jobs that run}.
local function read_batch(id)
  local running, open = 0, redis.call('HKEYS', 'batch_open:' .. id)
  for _, job in ipairs(open) do
    if redis.call('HGET', 'job:' .. job, 'status') == 'running' then running = running + 1 end
  end
  return {redis.call('HGETALL', 'batch:' .. id), #open - running, running}
end

-- Removes all that is left of a batch but its jobs.
local function remove_batch(batch)
  drop_lines(batch)
  drop_ids(batch)
  redis.call('ZREM', 'batches', batch.id)
  redis.call('ZREM', 'batches_of:' .. batch.owner, batch.id)
  for _, kind in ipairs({'', '_jobs', '_open', '_ends'}) do
    redis.call('UNLINK', 'batch' .. kind .. ':' .. batch.id)
  end
end
