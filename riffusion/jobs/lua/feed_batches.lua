#!lua flags=allow-oom
-- uses: creation, batches
-- Moves requests of batches into the queues as there are places, and does what else is due for batches. Many processes
-- run it; one at a time does anything. Returns {model, wake-ups to publish, ...}.
local at_once = 200 -- batches that are looked at
local most_jobs = 100 -- that are fed or deleted at once
local most_removed = 4 -- batches that are removed at once, with what they may need
local later_s = 2 -- until a batch that can't be fed is looked at again
local settle_s = 10 -- until one is looked at again that only waits for its jobs

if not redis.call('SET', 'feeding', 1, 'NX', 'PX', 400) then return {} end
local memory = has_memory() and not storage_is_full(0)

-- A process of a version without batches ends jobs that it doesn't count.
local function settle_ended(model)
  for _, member in ipairs(redis.call('ZRANDMEMBER', 'fed:' .. model, 50) or {}) do
    local client, id, batch = string.match(member, '^(%S+) (%S+) (%S+)$')
    local status = redis.call('HGET', 'job:' .. id, 'status')
    if status ~= 'queued' and status ~= 'running' then
      settle({id = id, client = client, batch = batch, model = model}, status or 'canceled')
    end
  end
end

-- Deletes some jobs of a deleted batch, and in the end what is left of it.
local to_delete = most_jobs
local function delete_some(batch)
  if to_delete == 0 then return end
  local ids = redis.call('LPOP', 'batch_jobs:' .. batch.id, to_delete) or {}
  to_delete = to_delete - #ids
  for _, id in ipairs(ids) do
    local job = load_hash('job:' .. id)
    if job then erase_job(job) end
  end
  if redis.call('EXISTS', 'batch_jobs:' .. batch.id) == 0 then remove_batch(batch) end
end

-- The key of a batch as it is now; nil where it was revoked or has expired: its batches wait until they are left to
-- another, deleted, or past their deadline.
local function key_of(batch)
  local text = redis.call('HGET', 'keys', string.match(batch.client, '^key:([^/]+)'))
  local key = text and cjson.decode(text)
  local expires = key and tonumber(key.expires_at)
  return key and not (expires and expires <= now) and key or nil
end

-- Whether a request of the batch may become a job now. A tenant's batches have three jobs for each slot, and two; half
-- of those that it may have in flight at most. While half of the queue is full, they have one job.
local function has_place(batch, quota)
  local open = redis.call('ZLEXCOUNT', 'fed:' .. batch.model, '[' .. batch.client .. ' ', '(' .. batch.client .. '!')
  local waiting = redis.call('ZCARD', 'waiting:' .. batch.model)
  if waiting >= limits.max_queued then return false end
  if waiting >= math.floor(limits.max_queued / 2) then return open == 0 end
  local slots = tonumber(redis.call('HGET', 'model:' .. batch.model, 'slots') or 0)
  local flight = (quota.jobs_in_flight or 0) > 0 and quota.jobs_in_flight or math.huge
  return open < math.min(2 + 3 * slots, math.max(1, math.floor(flight / 2)), 256)
    and redis.call('SCARD', 'active:' .. batch.client) < flight
end

-- The weight and limits with which a batch may be fed, or nil.
local function may_feed(batch)
  local key = key_of(batch)
  if not key or not memory or model_state(batch.model) ~= 'active' or refuse_blocked({batch.client}) then return nil end
  -- A key of an earlier version lacks limits that were new since.
  if exceeds({batch.client}, 'stored_bytes', key.quota.stored_bytes or 0, 0) then return nil end
  return key
end

-- Makes a job of a batch's next request.
local function feed_next(batch, key, number)
  local job = cjson.decode(redis.call('LPOP', 'batch_lines:' .. batch.id))
  count_kept({batch.client}, 'jobs', -1)
  count_kept({batch.client}, 'request_bytes', -#job.request)
  redis.call('HINCRBY', 'model:' .. batch.model, 'held', -1)
  redis.call('HINCRBY', 'batch:' .. batch.id, 'held_bytes', -#job.request)
  job.id = string.format('%014x', tonumber(time[1]) * 1e6 + tonumber(time[2]) + number) .. job.tail
  job.client, job.owner, job.weight = batch.client, batch.owner, key.weight
  job.batch, job.batch_index = batch.id, redis.call('HINCRBY', 'batch:' .. batch.id, 'fed', 1) - 1
  job.trace, job.waits_until = cjson.decode(batch.trace), timestamp(batch.created_at + limits.batch_deadline_s)
  redis.call('RPUSH', 'batch_jobs:' .. batch.id, job.id)
  redis.call('HSET', 'batch_open:' .. batch.id, job.id, job.batch_index)
  redis.call('ZADD', 'fed:' .. batch.model, 0, fed_member(job))
  create(job, find_made(job))
end

-- Does what is due for a batch that was accepted; returns whether there is more to feed. All that have more are looked
-- at again in the same order, but for those that are fed.
local function look_at(batch, number)
  local held = redis.call('LLEN', 'batch_lines:' .. batch.id)
  if held > 0 and now > batch.created_at + limits.batch_deadline_s then
    end_rest(batch, 'failed', {code = 'deadline_exceeded', detail = 'The batch waited for too long.'})
    return false
  elseif held > 0 and redis.call('SISMEMBER', 'models', batch.model) == 0 then
    local detail = 'The operator has retired the model ' .. batch.model .. '.'
    end_rest(batch, 'failed', {code = 'model_retired', detail = detail})
    return false
  end
  redis.call('ZADD', 'batches', now + (held > 0 and number * 1e-5 or settle_s), batch.id)
  return held > 0
end

for _, model in ipairs(redis.call('SMEMBERS', 'models')) do settle_ended(model) end

local hungry, keys, removed = {}, {}, 0
for number, id in ipairs(redis.call('ZRANGEBYSCORE', 'batches', '-inf', now, 'LIMIT', 0, at_once)) do
  local batch = load_hash('batch:' .. id)
  if not batch then
    redis.call('ZREM', 'batches', id)
  elseif batch.deleted then
    delete_some(batch)
  elseif batch.status == 'draft' or batch.completed_at then -- abandoned, or expired
    if removed < most_removed then
      removed = removed + 1
      remove_batch(batch)
      if batch.completed_at then redis.call('SET', 'gone:' .. id, batch.client, 'EX', limits.tombstone_s) end
    end
  elseif look_at(batch, number) then
    keys[id] = may_feed(batch)
    if keys[id] then hungry[#hungry + 1] = batch else redis.call('ZADD', 'batches', now + later_s, id) end
  end
end

-- One request of each in turn.
local fed, models, changed = 0, {}, {}
while #hungry > 0 do
  local still = {}
  for _, batch in ipairs(hungry) do
    if fed < most_jobs and redis.call('EXISTS', 'batch_lines:' .. batch.id) == 1
      and has_place(batch, keys[batch.id].quota) then
      feed_next(batch, keys[batch.id], fed)
      models[batch.model], changed[batch.id] = true, true
      fed, still[#still + 1] = fed + 1, batch
    end
  end
  hungry = still
end

local reply = {}
for id in pairs(changed) do
  if redis.call('EXISTS', 'batch_lines:' .. id) == 0 then
    drop_lines(load_hash('batch:' .. id))
  else
    redis.call('ZADD', 'batches', now + 0.01, id) -- after those that got no place
  end
  update_batch(id)
end
for model in pairs(models) do
  reply[#reply + 1] = model
  reply[#reply + 1] = missing_wakeups(model)
end
return reply
