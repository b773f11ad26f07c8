#!lua flags=allow-oom
-- Takes an upload from its owner: nothing can name it any more, and the sweep deletes its file once no job needs it.
-- ARGV: id. Returns 1, or 0 if there is no such upload.
local id = ARGV[1]
local upload = load_hash('upload:' .. id)
if not upload or upload.deleted then return 0 end
redis.call('HSET', 'upload:' .. id, 'deleted', 1)
redis.call('ZREM', 'uploads_of:' .. (upload.owner or upload.client), id)
redis.call('ZADD', 'sweep_at', now, 'upload:' .. id)
remember_erasure('upload', id)
return 1
