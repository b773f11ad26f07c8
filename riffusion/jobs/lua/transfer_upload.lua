#!lua flags=allow-oom
-- Gives an upload to another tenant of a key, who owns it from then on and whose limits it counts for. ARGV: id, owner,
-- new tenant. Returns 1, or 0 if the owner has no such upload.
local id, from, to = ARGV[1], ARGV[2], ARGV[3]
local upload = load_hash('upload:' .. id)
redis.call('ZREM', 'uploads_of:' .. from, id)
if not upload or upload.deleted or (upload.owner or upload.client) ~= from then return 0 end
if upload.stored_bytes then
  count_kept(scopes_of(upload), 'stored_bytes', -upload.stored_bytes)
  count_kept({to}, 'stored_bytes', upload.stored_bytes)
end
redis.call('HDEL', 'upload:' .. id, 'networks')
redis.call('HSET', 'upload:' .. id, 'client', to, 'owner', to, 'left_at', timestamp(now))
redis.call('ZADD', 'uploads_of:' .. to, upload.created_at, id)
return 1
