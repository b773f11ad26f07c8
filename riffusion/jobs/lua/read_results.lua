#!lua flags=no-writes
-- The state of some of a batch's requests. ARGV: id, index of the first, how many at most.
-- Returns {batch's record or {}, {own id, status or "" (held), job or "", its record or {}, its place or {}}, ...};
-- fewer where they are long.
local id, first, last = ARGV[1], tonumber(ARGV[2]), ARGV[2] + ARGV[3] - 1
local most = 256 * 1024 -- bytes of requests and results, as of a page of jobs
local reply, bytes = {redis.call('HGETALL', 'batch:' .. id)}, 0
local jobs = redis.call('LRANGE', 'batch_jobs:' .. id, first, last)
local rest = redis.call('HGET', 'batch:' .. id, 'rest') or ''
for number, own_id in ipairs(redis.call('LRANGE', 'batch_ids:' .. id, first, last)) do
  if bytes > most then return reply end
  local job = jobs[number]
  if job then
    local status = redis.call('HGET', 'batch_ends:' .. id, first + number - 1)
      or redis.call('HGET', 'job:' .. job, 'status')
    local found = record_with_place(job)
    local sizes = redis.call('HMGET', 'job:' .. job, 'request', 'result')
    bytes = bytes + #(sizes[1] or '') + #(sizes[2] or '')
    reply[#reply + 1] = {own_id, status or 'canceled', job, found[1], found[2]}
  else
    reply[#reply + 1] = {own_id, rest, '', {}, {}}
  end
end
return reply
