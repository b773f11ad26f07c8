-- What every script begins with, after the settings as a table `limits`: Redis's clock, and the functions by which a
-- job moves from one status to the next.
--
-- These keys and their fields are stored data, which two versions read at once. A tenant, whom limits and fairness are
-- for, is stored as `client`; a scope is a tenant or one of the networks that its address lies in.
--
--   job:<id>          hash    the record
--   waiting:<model>   zset    waiting jobs by start tag
--   queued:<model>    zset    the same by the time at which they entered the queue
--   places:<model>    zset    how many of them each scope has, and all tenants without a key ("anonymous")
--   clients:<model>   zset    finish tag of each scope's last job; those behind virtual time are dropped
--   model:<model>     hash    vtime, waiting_cost, running, running_cost, pace (seconds per unit of cost), slots of all
--                             workers, worker_slots of the last one that registered, card, qualities, state ("paused",
--                             "draining"; absent while active), held (requests in batches that aren't jobs yet)
--   models            set     every model that ever had a job or a worker
--   preview:<id>      string  a running job's latest preview, a WebP; the record counts them as `preview`
--   due               zset    jobs by the time at which reap checks them: when a lease or a deadline ends
--   webhooks          zset    ended jobs by the time of the next try, or that at which the lease of a try runs out
--   webhooks:due:<key> <host>    zset  jobs whose time has come, until their turn; see webhook_take.lua
--   webhooks:quick, :slow        zset  keys that have such jobs, by turn; and with :<key>, that key's hosts
--   webhooks:trying              zset  tries in progress, by the time at which they count as lost
--   webhooks:host:<key> <host>   hash  failures in a row, seconds of the last response, retry_at while it isn't tried
--   webhooks:pending             zset  jobs whose webhook is neither delivered nor failed, by the time of their end
--   sweep_at          zset    job:<id>, upload:<id> or file:<key> by the time at which their files expire
--   sweep             zset    the same of version 1, which has no folders
--   sweeping          zset    those that a sweep has begun to delete, by the time at which the first one did
--   ended             hash    "<status> <reason> <model>" -> how many jobs have ended so
--   held:<worker>     hash    id -> nonce of the claim, for the jobs that a worker runs
--   alone:<worker>    string  the job that must run alone in that worker
--   worker:<worker>   hash    model, slots, time last seen; expires unless the worker is registered again
--   workers           set     their names
--   active:<scope>    set     jobs that haven't ended
--   rate:<scope>      string  time at which its allowance of creates will be whole again
--   day:<scope>       string  the same of a day's creates; lists:<scope>: of lists
--   kept:<scope>      hash    jobs, request_bytes, stored_bytes that are kept; of "all": stored_bytes alone
--   of:<owner>        zset    the jobs that an owner may list, in the order of their ids, which is that of time
--   jobs              zset    every job, likewise, for operators; but those that an older version accepted
--   folders:<id>      set     where the attempts at a job, or an upload, keep files: until those are deleted
--   uploads_of:<owner>  zset  the uploads that an owner may list, by the time at which they came in
--   pins:<kind>:<id>  set     jobs that need the files of an upload or a job: until they end; copies until deleted
--   batch:<id>        hash    a batch: a draft until all of its requests have come in; status, total, fed (how many
--                             have become jobs), held_bytes of the others, ids_bytes of its client's ids, how many
--                             have succeeded, failed, canceled; `rest`, how those ended that never became jobs
--   batch_lines:<id>  list    its requests that aren't jobs yet, in their order
--   batch_ids:<id>    list    the ids that its client gave to its requests, or ""
--   batch_jobs:<id>   list    the jobs that its first requests have become
--   batch_open:<id>   hash    those that haven't ended -> index
--   batch_ends:<id>   hash    index -> status of those that have
--   batch_pins:<id>   set     whose files its requests need, until the last one is a job
--   batches           zset    every batch by the time at which feed_batches looks at it next
--   batches_of:<owner>  zset  those that an owner may list, in the order of their ids
--   fed:<model>       zset    "<client> <job> <batch>" of the jobs of batches that haven't ended
--   feeding           string  set for the moment in which one process feeds
--   charged:<id>      hash    who is charged for the files of a deleted job that others show: client, networks, bytes
--   idem:<digest>     hash    what an idempotency key stands for
--   gone:<id>         string  tombstone: whose job it was; lost:<id> beside it where its files were lost
--   erasures          zset    "<kind> <SHA-1> <time>" of what was deleted and must stay so after a restore, until the
--                             storage has it; see erasures.py
--   erasing           string  set for the moment in which one process writes them there
--   blocked:<scope>   hash    reason, by, at of a client that may create nothing; expires where the block does
--   share:<share id>  string  the job whose clip was published; share:<schema>:<share id> from schema 2 on
--   published         zset    share ids by the time at which they were published, in microseconds
--   gallery           zset    those of clips that their publishers list, likewise
--   listed:<scope>    zset    those of a scope, by the time at which the clip expires
--   listing:<scope>   string  time at which its allowance of listings will be whole again
--   reported          zset    share ids that visitors have reported, by the time of the last report, in microseconds
--   reports:<share id>    hash  count; reason:<reason> -> how many; details, the latest as a JSON list
--   reporters:<share id>  set   pseudonyms of the clients that have reported it
--   reporting:<scope> string  time at which its allowance of reports will be whole again
--   takedown:<digest> hash    share, reason, by, at of a clip that an operator has taken down; see takedowns.py
--   takedowns         zset    those digests by time, in microseconds
--   made:<digest>     string  the job whose clip serves further requests like its own
--   upload:<id>, content:<sha256>   hashes: an upload, and the uploads that share one file
--   audit             stream  what operators have done
--   reaped_at         string  when reap ran last
--   waking:<model>    string  set for the moment in which one reaper publishes wake-ups

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6

-- The time as a whole number of microseconds: no two scripts run in the same one.
local now_us = time[1] .. string.format('%06d', time[2])

local function timestamp(seconds)
  return string.format('%.6f', seconds)
end

local function load_hash(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then return nil end
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- The key of the job that made the clip of this request. The owner is part of it: it reveals nothing of other owners.
-- A worker of version 1 uses the client, whatever the owner is.
local function made_key(job, identity)
  return 'made:' .. redis.sha1hex((identity or job.owner or job.client) .. '\n' .. job.model .. '\n' .. job.request)
end

-- Whom a job or an upload is charged to: its tenant, and the networks that its address lies in, narrow to wide.
local function scopes_of(thing)
  local scopes = {thing.client}
  for _, network in ipairs(cjson.decode(thing.networks or '[]')) do scopes[#scopes + 1] = network end
  return scopes
end

-- How many times a tenant's own limits a scope has: each wider network twice those of the one within it.
local function multiple(index)
  return 2 ^ (index - 1)
end

-- Checks an allowance of each scope, a bucket of `limit` in a period, by the generic cell rate algorithm. Returns the
-- seconds until `count` may be taken, 0 where that is now; then the debt of each scope after that, in seconds.
local function check_bucket(bucket, scopes, limit, period, count)
  local wait, debts = 0, {}
  for index, scope in ipairs(limit > 0 and count > 0 and scopes or {}) do
    local each = period / (limit * multiple(index))
    local debt = math.max(0, tonumber(redis.call('GET', bucket .. scope) or 0) - now)
    wait = math.max(wait, debt + math.min(count * each, period) - period) -- more than a bucket holds needs a full one
    debts[index] = debt + count * each
  end
  return wait, debts
end

-- Takes what check_bucket has found available.
local function charge_bucket(bucket, scopes, debts)
  for index, debt in ipairs(debts) do
    redis.call('SET', bucket .. scopes[index], timestamp(now + debt), 'PX', math.ceil(1000 * debt))
  end
end

-- Takes `count` creates. A deleted job leaves a tombstone and an idempotency key for a while, so a day has a limit,
-- too: four times what may be kept. Returns a refusal; or nil, what is left of a minute's, and the seconds until it is
-- whole.
local function take_creates(scopes, quota, count)
  local wait, debts = check_bucket('rate:', scopes, quota.creates_per_minute, 60, count)
  if wait > 0 then return {'too many creates', timestamp(wait)} end
  local day_wait, day_debts = check_bucket('day:', scopes, 4 * quota.jobs_kept, 86400, count)
  if day_wait > 0 then return {'too many a day', timestamp(day_wait)} end
  charge_bucket('rate:', scopes, debts)
  charge_bucket('day:', scopes, day_debts)
  if #debts == 0 then return nil end
  return nil, math.max(0, math.floor((60 - debts[1]) * quota.creates_per_minute / 60 + 1e-6)), debts[1]
end

-- Adds to what is kept for the scopes; `amount` may be negative.
local function count_kept(scopes, name, amount)
  for _, scope in ipairs(scopes) do
    if redis.call('HINCRBY', 'kept:' .. scope, name, amount) <= 0 then redis.call('HDEL', 'kept:' .. scope, name) end
  end
end

-- Adds to the stored bytes of a job's or upload's scopes, and to those of all tenants together.
local function count_stored(thing, bytes)
  local scopes = scopes_of(thing)
  scopes[#scopes + 1] = 'all'
  count_kept(scopes, 'stored_bytes', bytes)
end

-- Whether a limit would be exceeded for any of the scopes; 0 is no limit.
local function exceeds(scopes, name, limit, more)
  if limit == 0 then return false end
  for index, scope in ipairs(scopes) do
    local kept = tonumber(redis.call('HGET', 'kept:' .. scope, name) or 0)
    if kept + more > limit * multiple(index) then return true end
  end
  return false
end

local function storage_is_full(more)
  return exceeds({'all'}, 'stored_bytes', limits.max_stored_bytes, more)
end

-- Bytes of memory that Redis uses, and the most that it may use before new jobs are refused: nine tenths of its limit,
-- 0 without one. A tenth is kept for scripts that end jobs, and for the broker.
local function read_memory()
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, '\nmaxmemory:(%d+)'))
  return tonumber(string.match(memory, 'used_memory:(%d+)')), math.floor(0.9 * most)
end

local function has_memory()
  local used, most = read_memory()
  return most == 0 or used < most
end

-- Whether requests may name an upload; one that its owner has deleted stays until no job needs it.
local function has_upload(id)
  return redis.call('EXISTS', 'upload:' .. id) == 1 and redis.call('HEXISTS', 'upload:' .. id, 'deleted') == 0
end

local function is_terminal(job)
  return job.status ~= 'queued' and job.status ~= 'running'
end

-- A refusal if the operator has blocked one of the scopes, or the key whose end user one is.
local function refuse_blocked(scopes)
  for _, scope in ipairs(scopes) do
    for _, name in ipairs({scope, string.match(scope, '^(key:[^/]+)/')}) do
      local reason = redis.call('HGET', 'blocked:' .. name, 'reason')
      if reason then return {'blocked', reason} end
    end
  end
end

-- Writes fields of a record, counts the change and publishes it.
local function update(id, ...)
  redis.call('HSET', 'job:' .. id, ...)
  local revision = redis.call('HINCRBY', 'job:' .. id, 'revision', 1)
  redis.call('PUBLISH', 'events', id .. ' ' .. revision)
end

-- Has reap check a running job when the first of its three timers runs out.
local function schedule_reap(id, lease, running, stalled)
  redis.call('ZADD', 'due', math.min(lease, running, stalled), id)
end

-- Counts a waiting job for its scopes, and for all tenants without a key.
local function count_place(job, amount)
  local places, scopes = 'places:' .. job.model, scopes_of(job)
  if string.sub(job.client, 1, 4) ~= 'key:' then scopes[#scopes + 1] = 'anonymous' end
  for _, scope in ipairs(scopes) do
    if tonumber(redis.call('ZINCRBY', places, amount, scope)) <= 0 then redis.call('ZREM', places, scope) end
  end
end

-- A tenant's batches in `clients`. No tenant has such a name, for none has a space.
local function batch_flow(client)
  return client .. ' batches'
end

-- When a job that hasn't ended is canceled, where its request says so.
local function cancel_time(job)
  return tonumber(job.cancel_at or math.huge)
end

-- Gives a job that is to wait its turn, `start`, and keeps the files that it needs. Start-time fair queueing: a
-- tenant's next job starts when its last one ends, in virtual time. A network is served as one tenant with a larger
-- share, so that many addresses gain nothing. A job of a batch starts after the tenant's batches before it, too, and
-- is charged to the tenant only when it is claimed: the tenant's other jobs don't wait behind it.
local function begin_waiting(job)
  local scopes, last = scopes_of(job), {}
  local vtime = tonumber(redis.call('HGET', 'model:' .. job.model, 'vtime') or 0)
  job.start = vtime
  for index, scope in ipairs(scopes) do
    last[index] = math.max(vtime, tonumber(redis.call('ZSCORE', 'clients:' .. job.model, scope) or 0))
    job.start = math.max(job.start, last[index])
  end
  last[1] = job.start
  if job.batch then
    local flow = batch_flow(job.client)
    job.start = math.max(job.start, tonumber(redis.call('ZSCORE', 'clients:' .. job.model, flow) or 0))
    redis.call('ZADD', 'clients:' .. job.model, job.start + job.cost / job.weight, flow)
  end
  for index, scope in ipairs(scopes) do
    if not job.batch then
      redis.call('ZADD', 'clients:' .. job.model, last[index] + job.cost / job.weight / multiple(index), scope)
    end
    redis.call('SADD', 'active:' .. scope, job.id)
  end
  redis.call('SADD', 'models', job.model)
  for _, pin in ipairs(cjson.decode(job.pins)) do redis.call('SADD', 'pins:' .. pin, job.id) end
end

local function enter_queue(job)
  redis.call('ZADD', 'waiting:' .. job.model, job.start, job.id)
  redis.call('ZADD', 'queued:' .. job.model, now, job.id)
  count_place(job, 1)
  redis.call('ZADD', 'due', math.min(job.waits_until or now + limits.waiting_deadline_s, cancel_time(job)), job.id)
  redis.call('HINCRBYFLOAT', 'model:' .. job.model, 'waiting_cost', job.cost)
end

local function leave_queue(job)
  redis.call('ZREM', 'waiting:' .. job.model, job.id)
  redis.call('ZREM', 'queued:' .. job.model, job.id)
  redis.call('ZREM', 'due', job.id)
  count_place(job, -1)
  if redis.call('EXISTS', 'waiting:' .. job.model) == 0 then
    redis.call('HDEL', 'model:' .. job.model, 'waiting_cost') -- with what rounding has left over
  else
    redis.call('HINCRBYFLOAT', 'model:' .. job.model, 'waiting_cost', '-' .. job.cost)
  end
end

local function enter_worker(job, worker, nonce)
  redis.call('HSET', 'held:' .. worker, job.id, nonce)
  if job.solo then redis.call('SET', 'alone:' .. worker, job.id) end
  redis.call('HINCRBY', 'model:' .. job.model, 'running', 1)
  redis.call('HINCRBYFLOAT', 'model:' .. job.model, 'running_cost', job.cost)
end

local function leave_worker(job)
  redis.call('HDEL', 'held:' .. job.worker, job.id)
  if job.solo then redis.call('DEL', 'alone:' .. job.worker) end
  redis.call('ZREM', 'due', job.id)
  if redis.call('HINCRBY', 'model:' .. job.model, 'running', -1) == 0 then
    redis.call('HDEL', 'model:' .. job.model, 'running_cost')
  else
    redis.call('HINCRBYFLOAT', 'model:' .. job.model, 'running_cost', '-' .. job.cost)
  end
end

-- Forgets the preview of a job that runs no more.
local function drop_preview(job)
  redis.call('DEL', 'preview:' .. job.id)
  redis.call('HDEL', 'job:' .. job.id, 'preview')
end

-- Keeps what a record has of its latest attempt, or of a wait that failed, before the next overwrites it.
local function log_attempt(job, attempt)
  local log = cjson.decode(job.attempt_log or '[]')
  if #log == 32 then table.remove(log, 1) end -- a worker that stops may release a job any number of times
  attempt.worker, attempt.started_at, attempt.step, attempt.total = job.worker, job.started_at, job.step, job.total
  log[#log + 1] = attempt
  redis.call('HSET', 'job:' .. job.id, 'attempt_log', cjson.encode(log))
end

-- Returns a running job to the queue, for the reason `released` or `worker_lost`. Its start tag is no later than that
-- of any waiting job, so it is at the head.
local function requeue(job, reason, ...)
  leave_worker(job)
  log_attempt(job, {reason = reason, ended_at = timestamp(now)})
  drop_preview(job)
  redis.call('HDEL', 'job:' .. job.id, 'worker', 'started_at')
  enter_queue(job)
  update(job.id, 'status', 'queued', 'queued_at', timestamp(now), 'step', 0, 'total', 0, ...)
end

-- Key and host of a webhook, which are its lane; see webhook_take.lua.
local function lane_of(client, url)
  local key = string.match(client, '^key:([^/]+)') or '-'
  local host = string.match(url, '^%a+://([^/?]+)') or '-'
  return key, string.lower((string.gsub(host, ':%d*$', '')))
end

-- Has a job's end reported to the address that its request names; of predictions those events that they ask for, and
-- the start (`running`) is one. The record is read when it is sent, so an end replaces a start that is still unsent.
local function schedule_webhook(job, status)
  if not job.webhook then return end
  local asked = {}
  for event in string.gmatch(job.webhook_events or 'completed', '%a+') do asked[event] = true end
  local is_due = asked[status == 'running' and 'start' or 'completed'] or status == 'succeeded' and asked.output
  if not is_due then return end
  redis.call('ZADD', 'webhooks', now, job.id)
  redis.call('ZADD', 'webhooks:pending', now, job.id)
  redis.call('HSET', 'job:' .. job.id, 'webhook_state', 'pending', 'webhook_next', timestamp(now),
    'webhook_attempts', 0)
end

-- Counts the end of a job, for metrics. The reason is the code of its error, if it failed.
local function count_end(model, status, reason)
  redis.call('HINCRBY', 'ended', status .. ' ' .. reason .. ' ' .. model, 1)
end

-- How jobs end that have no error.
local reasons = {succeeded = 'made', canceled = 'requested'}

-- The code of the error among the fields of an outcome.
local function error_code(...)
  local fields = {...}
  for i = 1, #fields, 2 do
    if fields[i] == 'error' then return cjson.decode(fields[i + 1]).code end
  end
end

-- The job of a batch in `fed`.
local function fed_member(job)
  return job.client .. ' ' .. job.id .. ' ' .. job.batch
end

-- Publishes that a batch has changed. Once all of its requests have ended, it is kept for as long as a result is.
local function update_batch(id)
  local found = redis.call('HMGET', 'batch:' .. id, 'total', 'succeeded', 'failed', 'canceled', 'completed_at')
  if tonumber(found[1]) == found[2] + found[3] + found[4] and not found[5] then
    redis.call('HSET', 'batch:' .. id, 'completed_at', timestamp(now))
    redis.call('ZADD', 'batches', now + limits.result_ttl_s, id)
  end
  redis.call('PUBLISH', 'events', id .. ' ' .. redis.call('HINCRBY', 'batch:' .. id, 'revision', 1))
end

-- Counts the end of a job for its batch, once. feed_batches repeats that where a process of a version without batches
-- has ended the job.
local function settle(job, status)
  redis.call('ZREM', 'fed:' .. job.model, fed_member(job))
  local index = redis.call('HGET', 'batch_open:' .. job.batch, job.id)
  if not index then return end -- counted already, or the batch was deleted
  redis.call('HDEL', 'batch_open:' .. job.batch, job.id)
  redis.call('HSET', 'batch_ends:' .. job.batch, index, status)
  redis.call('HINCRBY', 'batch:' .. job.batch, status, 1)
  update_batch(job.batch)
end

-- Ends a job.
local function end_job(job, status, ...)
  if job.status == 'queued' then
    leave_queue(job)
    local flows = job.batch and {batch_flow(job.client)} or scopes_of(job)
    for index, scope in ipairs(job.attempts == '0' and flows or {}) do
      if redis.call('ZSCORE', 'clients:' .. job.model, scope) then
        -- It wasn't served, so it isn't charged to the tenant's share.
        redis.call('ZINCRBY', 'clients:' .. job.model, -job.cost / job.weight / multiple(index), scope)
      end
    end
  else
    leave_worker(job)
    drop_preview(job)
  end
  for _, scope in ipairs(scopes_of(job)) do redis.call('SREM', 'active:' .. scope, job.id) end
  for _, pin in ipairs(cjson.decode(job.pins)) do redis.call('SREM', 'pins:' .. pin, job.id) end
  -- An attempt that lost the job may still be writing: its files are deleted once it must have noticed, and at expiry.
  local may_be_writing = tonumber(job.attempts) > (status == 'succeeded' and 1 or 0)
  redis.call('ZADD', 'sweep_at', now + (may_be_writing and 2 * limits.lease_s or limits.result_ttl_s), 'job:' .. job.id)
  schedule_webhook(job, status)
  count_end(job.model, status, reasons[status] or error_code(...))
  redis.call('HDEL', 'job:' .. job.id, 'start', 'lease_until', 'running_until', 'stalled_until', 'reserved')
  update(job.id, 'status', status, 'completed_at', timestamp(now), ...)
  if job.batch then settle(job, status) end
end

-- Ends a job by the store's own decision: a higher token fences off the attempt that runs it.
local function end_and_fence(job, status, ...)
  end_job(job, status, 'token', job.token + 1, ...)
end

-- The folder of the files that a job made itself; nil if it made none.
local function own_folder(job)
  return job.result and not job.origin and string.match(cjson.decode(job.result).image.key, '^.*/') or nil
end

-- Remembers what was deleted outside of Redis: a backup of it that is older would bring it back.
local function remember_erasure(kind, id)
  redis.call('ZADD', 'erasures', now, kind .. ' ' .. redis.sha1hex(id) .. ' ' .. math.floor(now))
end

-- Takes a published clip out of all lists.
local function unlist(share_id, scopes)
  redis.call('ZREM', 'gallery', share_id)
  for _, scope in ipairs(scopes) do redis.call('ZREM', 'listed:' .. scope, share_id) end
end

-- Counts a clip in the gallery for each scope of its job.
local function count_listed(job)
  for _, scope in ipairs(scopes_of(job)) do
    redis.call('ZADD', 'listed:' .. scope, job.completed_at + limits.result_ttl_s, job.share)
    redis.call('EXPIRE', 'listed:' .. scope, limits.result_ttl_s)
  end
end

local function forget_reports(share_id)
  redis.call('ZREM', 'reported', share_id)
  redis.call('DEL', 'reports:' .. share_id, 'reporters:' .. share_id)
end

-- Replaces the record of an ended job by a tombstone.
local function delete_record(job)
  redis.call('DEL', 'job:' .. job.id)
  redis.call('ZREM', 'of:' .. (job.owner or job.client), job.id) -- in version 1 every tenant was an owner
  redis.call('ZREM', 'jobs', job.id)
  if job.share then
    unlist(job.share, scopes_of(job))
    forget_reports(job.share)
    redis.call('ZREM', 'published', job.share)
  end
  if job.request_bytes then
    count_kept(scopes_of(job), 'jobs', -1)
    count_kept(scopes_of(job), 'request_bytes', -job.request_bytes)
  end
  if job.stored_bytes and redis.call('EXISTS', 'pins:job:' .. job.id) == 1 then
    -- Other jobs show its files, which are charged as before until they are deleted.
    redis.call('HSET', 'charged:' .. job.id, 'client', job.client, 'networks', job.networks or '[]',
      'stored_bytes', job.stored_bytes)
  elseif job.stored_bytes then
    count_stored(job, -job.stored_bytes)
  end
  local folder = own_folder(job)
  if folder then redis.call('SADD', 'folders:' .. job.id, folder) end
  redis.call('ZREM', 'webhooks', job.id)
  redis.call('ZREM', 'webhooks:pending', job.id)
  if job.origin then redis.call('SREM', 'pins:job:' .. job.origin, job.id) end
  redis.call('SET', 'gone:' .. job.id, job.client, 'EX', limits.tombstone_s)
end

-- Workers alive, and the slots of those together, of each model.
local function count_workers()
  local workers, slots = {}, {}
  for _, worker in ipairs(redis.call('SMEMBERS', 'workers')) do
    local presence = redis.call('HMGET', 'worker:' .. worker, 'model', 'slots')
    local model = presence[1]
    if model then
      workers[model] = (workers[model] or 0) + 1
      slots[model] = (slots[model] or 0) + presence[2]
    end
  end
  return workers, slots
end

-- Removes entries at the head of an index for metrics that a process of the version before, which doesn't know it, has
-- left there.
local function drop_stale(index, is_stale)
  for _, entry in ipairs(redis.call('ZRANGE', index, 0, 9)) do
    if is_stale(entry) then redis.call('ZREM', index, entry) end
  end
end

-- Ends a job that hasn't, replaces it by a tombstone, has its files deleted, and remembers that after a restore.
local function erase_job(job)
  if not is_terminal(job) then end_and_fence(job, 'canceled') end
  -- The files of a single attempt that succeeded are complete; others may still be written for a moment.
  local settled = job.status == 'succeeded' and job.attempts == '1' or job.attempts == '0'
  redis.call('ZADD', 'sweep_at', now + (settled and 0 or 2 * limits.lease_s), 'job:' .. job.id)
  for _, key in ipairs({made_key(job), made_key(job, job.client)}) do
    if redis.call('GET', key) == job.id then redis.call('DEL', key) end
  end
  delete_record(job)
  remember_erasure('job', job.id)
  redis.call('PUBLISH', 'events', job.id .. ' ' .. job.revision + 2)
end

local function model_state(model)
  return redis.call('HGET', 'model:' .. model, 'state') or 'active'
end

-- Wake-ups that the broker's list lacks: one for each waiting job, but no more than there are slots.
local function missing_wakeups(model)
  if model_state(model) == 'paused' then return 0 end
  local slots = tonumber(redis.call('HGET', 'model:' .. model, 'slots') or 0)
  local wanted = math.min(redis.call('ZCARD', 'waiting:' .. model), math.max(1, slots))
  return math.max(0, wanted - redis.call('LLEN', 'riffusion.' .. model))
end

-- The place of a waiting job in its queue: {rank, expected seconds or "", whether its model is paused}; nil if it
-- doesn't wait.
local function queue_place(id, model)
  local rank = redis.call('ZRANK', 'waiting:' .. model, id)
  if not rank then return nil end
  local busy = redis.call('HMGET', 'model:' .. model, 'waiting_cost', 'running_cost', 'pace', 'slots', 'running')
  if model_state(model) == 'paused' then return {rank, '', 1} end
  local slots = tonumber(busy[4] or 0)
  if not busy[3] or slots == 0 then return {rank, '', 0} end
  if rank + tonumber(busy[5] or 0) < slots then return {rank, '0', 0} end
  -- Estimated as if jobs ahead were average ones, and running jobs half done.
  local ahead = tonumber(busy[1] or 0) * rank / redis.call('ZCARD', 'waiting:' .. model) + tonumber(busy[2] or 0) / 2
  return {rank, string.format('%.3f', ahead * busy[3] / slots), 0}
end

-- {a record's hash, its place or {}}.
local function record_with_place(id)
  local record = redis.call('HGETALL', 'job:' .. id)
  local job = redis.call('HMGET', 'job:' .. id, 'status', 'model')
  return {record, job[1] == 'queued' and queue_place(id, job[2]) or {}}
end

-- A page of the jobs in an index of ids, newest first, from `last` to `first` as ZREVRANGEBYLEX takes them: those for
-- which `matches` holds, at most `limit`. Returns {cursor for the next page or "", {record, place or {}}, ...}.
local function page_of_jobs(index, last, first, limit, matches)
  local most = 256 * 1024 -- bytes of requests and results: a page of long ones ends earlier
  local reply, bytes = {''}, 0
  for _ = 1, 10 do -- reads 1000 jobs at most in one call
    local ids = redis.call('ZREVRANGEBYLEX', index, last, first, 'LIMIT', 0, 100)
    for _, id in ipairs(ids) do
      if #reply > limit or bytes > most then return reply end
      last, reply[1] = '(' .. id, id
      local found = redis.call('HMGET', 'job:' .. id, 'status', 'model', 'client', 'error', 'request', 'result')
      local job = {status = found[1], model = found[2], client = found[3], error = found[4]}
      if not job.status then
        redis.call('ZREM', index, id) -- deleted by another program
      elseif matches(job) then
        bytes = bytes + #found[5] + #(found[6] or '')
        reply[#reply + 1] = record_with_place(id)
      end
    end
    if #ids < 100 then
      reply[1] = ''
      return reply
    end
  end
  return reply
end
