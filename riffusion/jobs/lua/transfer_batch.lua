#!lua flags=allow-oom
-- uses: batches
-- Gives a batch to another tenant of a key, who owns it from then on and whose limits it counts for; its jobs are given
-- by transfer_job.lua. ARGV: id, owner, new tenant. Returns 1, or 0 if the owner has no such batch.
local id, from, to = ARGV[1], ARGV[2], ARGV[3]
local batch = load_hash('batch:' .. id)
redis.call('ZREM', 'batches_of:' .. from, id)
if not batch or batch.deleted or batch.owner ~= from then return 0 end
if batch.status == 'draft' then
  remove_batch(batch)
  return 0
end
local held, bytes = redis.call('LLEN', 'batch_lines:' .. id), batch.held_bytes + batch.ids_bytes
for client, sign in pairs({[batch.client] = -1, [to] = 1}) do
  if held > 0 then count_kept({client}, 'jobs', sign * held) end
  if bytes > 0 then count_kept({client}, 'request_bytes', sign * bytes) end
end
redis.call('HSET', 'batch:' .. id, 'client', to, 'owner', to, 'left_at', timestamp(now))
redis.call('ZADD', 'batches_of:' .. to, 0, id)
update_batch(id)
return 1
