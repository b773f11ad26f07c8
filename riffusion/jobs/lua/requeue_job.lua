#!lua
-- Has a job that failed wait again, as if it had just been accepted: at its client's turn, with a new deadline and as
-- many attempts as any other. Its id, request and seeds stay; the fencing token rises.
-- ARGV: id, and 1 to do it or 0 to check only.
-- Returns {"requeued"}, {"no job"}, {"not failed", status}, {"no input", kind, id}, {"no model", model},
-- {"draining", model}, {"full", model}, {"no memory"} or {"no storage"}.
local job = load_hash('job:' .. ARGV[1])
if not job then return {'no job'} end
if job.status ~= 'failed' then return {'not failed', job.status} end

-- Counts the job as one that hasn't ended, for its batch.
local function reopen()
  if redis.call('HDEL', 'batch_ends:' .. job.batch, job.batch_index) == 0 then return end -- the batch is gone
  redis.call('HSET', 'batch_open:' .. job.batch, job.id, job.batch_index)
  redis.call('ZADD', 'fed:' .. job.model, 0, fed_member(job))
  redis.call('HINCRBY', 'batch:' .. job.batch, 'failed', -1)
  redis.call('HDEL', 'batch:' .. job.batch, 'completed_at')
  redis.call('ZADD', 'batches', now, job.batch)
  update_batch(job.batch)
end

-- Whether the files that it starts from are still kept. A copy's origin may be deleted while the copy needs its files.
local function is_kept(kind, id)
  if kind == 'upload' then return has_upload(id) end
  return redis.call('HGET', 'job:' .. id, 'status') == 'succeeded' or redis.call('EXISTS', 'pins:job:' .. id) == 1
end

for _, pin in ipairs(cjson.decode(job.pins)) do
  local kind, id = string.match(pin, '^(%a+):(.*)$')
  if not is_kept(kind, id) then return {'no input', kind, id} end
end
if job.model ~= limits.model and redis.call('SISMEMBER', 'models', job.model) == 0 then
  return {'no model', job.model}
end
if model_state(job.model) == 'draining' then return {'draining', job.model} end
if redis.call('ZCARD', 'waiting:' .. job.model) >= limits.max_queued then return {'full', job.model} end
if not has_memory() then return {'no memory'} end
if storage_is_full(0) then return {'no storage'} end
if ARGV[2] == '0' then return {'requeued'} end

log_attempt(job, {reason = cjson.decode(job.error).code, ended_at = job.completed_at, requeued_at = timestamp(now)})
redis.call('ZREM', 'webhooks', job.id)
redis.call('ZREM', 'webhooks:pending', job.id)
redis.call('HDEL', 'job:' .. job.id, 'completed_at', 'error', 'warnings', 'worker', 'started_at', 'waits_until',
  'webhook_state', 'webhook_next', 'webhook_error')
if job.webhook then redis.call('HSET', 'job:' .. job.id, 'webhook_attempts', 0) end
job.waits_until = nil -- that of its batch may be over
begin_waiting(job)
enter_queue(job)
if job.batch then reopen() end
update(job.id, 'status', 'queued', 'queued_at', timestamp(now), 'start', string.format('%.17g', job.start),
  'step', 0, 'total', 0, 'token', job.token + 1, 'forgiven', job.attempts, 'requeues', (job.requeues or 0) + 1)
return {'requeued'}
