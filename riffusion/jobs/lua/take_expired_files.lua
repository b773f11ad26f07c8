#!lua flags=allow-oom
-- What may be deleted now. ARGV: how many at most.
-- Returns {member, prefix of the keys to keep or "", prefixes of those to delete ...}, ... ; report them to confirm_deletion.lua.
local hold = 60 -- seconds after which another sweep takes over
local pinned_hold = 600 -- seconds until files that others show are looked at again

local function is_pinned(member)
  return redis.call('EXISTS', 'pins:' .. member) == 1
end

-- The folders of all attempts at a job; version 1 had one a job, named by its id.
local function folders_of(id)
  local folders = redis.call('SMEMBERS', 'folders:' .. id)
  return #folders > 0 and folders or {'results/' .. id .. '/'}
end

local function sweep_job(member, id)
  local job = load('job:' .. id)
  if job and not is_terminal(job) then
    return {member, job.status == 'running' and job.folder or '', unpack(folders_of(id))} -- an attempt lost it
  elseif job and now < job.completed_at + limits.result_ttl_s then
    return {member, folder_of(job) or '', unpack(folders_of(id))}
  end
  if job then forget(job) end -- also while others need its files
  if is_pinned(member) then
    redis.call('ZADD', 'sweep_at', now + pinned_hold, member)
    return nil
  end
  local charged = load('charged:' .. id)
  if charged then
    count_stored(charged, -charged.stored_bytes)
    redis.call('DEL', 'charged:' .. id)
  end
  return {member, '', unpack(folders_of(id))}
end

local function sweep_upload(member, id)
  if is_pinned(member) then return nil end
  local upload = load('upload:' .. id)
  redis.call('ZREM', 'sweep_at', member)
  if not upload then return nil end -- deleted behind the store's back
  redis.call('DEL', 'upload:' .. id)
  if upload.stored_bytes then count_stored(upload, -upload.stored_bytes) end
  local content = 'content:' .. upload.sha256
  redis.call('HDEL', content, id)
  if redis.call('HLEN', content) > 1 then return nil end -- others share the file
  redis.call('DEL', content)
  redis.call('ZADD', 'sweep_at', now + hold, 'file:' .. upload.key)
  return {'file:' .. upload.key, '', upload.key}
end

-- A process of version 1 may have ended, deleted or taken in what this one made, and finds none of its files.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', 'sweep', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', 'sweep', member)
  redis.call('ZADD', 'sweep_at', 'LT', now, member)
end

local reply = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', 'sweep_at', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local kind, name = string.match(member, '^(%a+):(.*)$')
  redis.call('ZADD', 'sweep_at', now + hold, member)
  if kind == 'file' then
    reply[#reply + 1] = {member, '', name}
  else
    local task = kind == 'job' and sweep_job(member, name) or kind == 'upload' and sweep_upload(member, name)
    if task then reply[#reply + 1] = task end
  end
end
return reply
