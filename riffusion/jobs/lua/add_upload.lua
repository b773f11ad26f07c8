#!lua
-- Creates the record of an upload that begin_upload.lua has charged. ARGV: id, JSON {scopes, owner, stored_bytes
-- (quota)}, size, sha256, key to use if no file has this content yet, then further fields. Returns the record, {"too
-- many", what} or {"no storage"}.
local id, charge, size, sha256, key = ARGV[1], cjson.decode(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
if redis.call('EXISTS', 'upload:' .. id) == 1 then return redis.call('HGETALL', 'upload:' .. id) end -- sent again
if exceeds(charge.scopes, 'stored_bytes', charge.stored_bytes, size) then return {'too many', 'stored_bytes'} end
if storage_is_full(size) then return {'no storage'} end
redis.call('HSETNX', 'content:' .. sha256, 'key', key)
redis.call('HSET', 'content:' .. sha256, id, 1)
key = redis.call('HGET', 'content:' .. sha256, 'key')
local record, expires = 'upload:' .. id, now + limits.upload_ttl_s
redis.call('HSET', record, 'schema', limits.schema, 'id', id, 'client', charge.scopes[1], 'sha256', sha256, 'key', key,
  'created_at', timestamp(now), 'expires_at', timestamp(expires), 'size', size, 'stored_bytes', size, unpack(ARGV, 6))
if charge.owner then
  redis.call('HSET', record, 'owner', charge.owner)
  redis.call('ZADD', 'uploads_of:' .. charge.owner, timestamp(now), id)
end
if #charge.scopes > 1 then redis.call('HSET', record, 'networks', cjson.encode({unpack(charge.scopes, 2)})) end
count_stored(load_hash(record), size)
redis.call('ZADD', 'sweep_at', expires, 'upload:' .. id)
return redis.call('HGETALL', record)
