#!lua flags=allow-oom
-- Remembers after a restore that a client was purged, and drops what is counted for it and the clients within it.
-- ARGV: their names, its own first.
local KINDS = {
  'active:', 'batches_of:', 'day:', 'kept:', 'listed:', 'lists:', 'of:', 'rate:', 'reporting:', 'uploads_of:',
}
remember_erasure('client', ARGV[1])
local models = redis.call('SMEMBERS', 'models')
for _, name in ipairs(ARGV) do
  for _, kind in ipairs(KINDS) do redis.call('DEL', kind .. name) end
  for _, model in ipairs(models) do
    redis.call('ZREM', 'clients:' .. model, name, batch_flow(name))
    redis.call('ZREM', 'places:' .. model, name)
  end
end
return 1
