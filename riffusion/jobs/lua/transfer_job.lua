#!lua flags=allow-oom
-- Gives a job to another tenant of a key, who owns it from then on and whose limits it counts for. ARGV: id, owner, new
-- tenant. Returns 1, or 0 if the owner has no such job.
local id, from, to = ARGV[1], ARGV[2], ARGV[3]
local job = load_hash('job:' .. id)
redis.call('ZREM', 'of:' .. from, id)
if not job or (job.owner or job.client) ~= from then return 0 end

local function count(sign)
  if redis.call('ZSCORE', 'waiting:' .. job.model, id) then count_place(job, sign) end
  local scopes = scopes_of(job)
  if job.request_bytes then
    count_kept(scopes, 'jobs', sign)
    count_kept(scopes, 'request_bytes', sign * job.request_bytes)
  end
  if job.stored_bytes then count_kept(scopes, 'stored_bytes', sign * job.stored_bytes) end
  if job.batch and not is_terminal(job) then
    local fed = 'fed:' .. job.model
    if sign > 0 then redis.call('ZADD', fed, 0, fed_member(job)) else redis.call('ZREM', fed, fed_member(job)) end
  end
  if job.share and redis.call('ZSCORE', 'gallery', job.share) then
    if sign > 0 then count_listed(job) end
    for _, scope in ipairs(sign < 0 and scopes or {}) do redis.call('ZREM', 'listed:' .. scope, job.share) end
  end
  for _, scope in ipairs(is_terminal(job) and {} or scopes) do
    redis.call(sign > 0 and 'SADD' or 'SREM', 'active:' .. scope, id)
  end
end

count(-1)
job.client, job.networks = to, nil
count(1)
redis.call('ZADD', 'of:' .. to, 0, id)
redis.call('HDEL', 'job:' .. id, 'networks')
-- It serves equal requests of its owner.
if redis.call('GET', made_key(job, from)) == id then
  redis.call('RENAME', made_key(job, from), made_key(job, to))
end
if job.webhook then
  -- Out of the key's lane, into its heir's. One that is being tried is in `webhooks` already.
  local lane = table.concat({lane_of(from, job.webhook)}, ' ')
  if redis.call('ZREM', 'webhooks:due:' .. lane, id) == 1 then redis.call('ZADD', 'webhooks', 'NX', now, id) end
end
update(id, 'client', to, 'owner', to, 'left_at', timestamp(now))
return 1
