#!lua flags=allow-oom
-- Deletes a job as delete_job.lua does, and what would name it or its client afterwards: tombstone, shares, its place
-- among the webhooks, and who is charged for its files while others show them. ARGV: id, keys of its shares. Returns 1,
-- or 0 if there was no record.
local id = ARGV[1]
local job = load_hash('job:' .. id)
if job then
  erase_job(job)
  if job.webhook then
    local lane = table.concat({lane_of(job.client, job.webhook)}, ' ')
    redis.call('ZREM', 'webhooks:due:' .. lane, id)
    redis.call('ZREM', 'webhooks:trying', 'slow ' .. lane .. ' ' .. id, 'quick ' .. lane .. ' ' .. id)
  end
end
local charged = load_hash('charged:' .. id)
if charged then count_stored(charged, -charged.stored_bytes) end
redis.call('DEL', 'charged:' .. id, 'gone:' .. id, 'lost:' .. id, unpack(ARGV, 2))
return job and 1 or 0
