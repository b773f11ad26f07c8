#!lua
-- uses: creation, batches
-- Adds requests to a draft, and charges its client for keeping them. ARGV: id, JSON {quota, lines: [{own_id, tail,
-- model, mode, schema, request, inputs, pins, cost, repeatable, webhook}]}.
-- Returns {"added"}, {"no draft"}, {"no input", line's index, pin's index}, {"no model", line's index}, {"too many",
-- what}, {"no memory"} or {"blocked", reason}.
local batch, more = load_hash('batch:' .. ARGV[1]), cjson.decode(ARGV[2])
if not batch or batch.status ~= 'draft' then return {'no draft'} end
local scopes, bytes, ids_bytes = {batch.client}, 0, 0
local blocked = refuse_blocked(scopes)
if blocked then return blocked end
if not has_memory() then return {'no memory'} end
for index, line in ipairs(more.lines) do
  if line.model ~= limits.model and redis.call('SISMEMBER', 'models', line.model) == 0 then
    return {'no model', index - 1}
  end
  local missing = find_inputs(line)
  if missing then return {'no input', index - 1, missing - 1} end
  bytes, ids_bytes = bytes + #line.request, ids_bytes + #line.own_id
end
if exceeds(scopes, 'jobs', more.quota.jobs_kept, #more.lines) then return {'too many', 'jobs_kept'} end
if exceeds(scopes, 'request_bytes', more.quota.request_bytes, bytes + ids_bytes) then
  return {'too many', 'request_bytes'}
end

for _, line in ipairs(more.lines) do
  for _, pin in ipairs(cjson.decode(line.pins)) do
    redis.call('SADD', 'pins:' .. pin, 'batch:' .. batch.id)
    redis.call('SADD', 'batch_pins:' .. batch.id, pin)
  end
  redis.call('RPUSH', 'batch_ids:' .. batch.id, line.own_id)
  line.own_id = nil
  redis.call('RPUSH', 'batch_lines:' .. batch.id, cjson.encode(line))
end
count_kept(scopes, 'jobs', #more.lines)
count_kept(scopes, 'request_bytes', bytes + ids_bytes)
redis.call('HINCRBY', 'batch:' .. batch.id, 'total', #more.lines)
redis.call('HINCRBY', 'batch:' .. batch.id, 'held_bytes', bytes)
redis.call('HINCRBY', 'batch:' .. batch.id, 'ids_bytes', ids_bytes)
redis.call('ZADD', 'batches', now + draft_s, batch.id)
return {'added'}
