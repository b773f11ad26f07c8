#!lua flags=allow-oom
-- Leases expired files to a sweep, which deletes them and reports that by confirm_deletion.lua. ARGV: how many entries
-- at most. Returns {member of sweep_at, prefix of the keys to keep or "", prefixes of those to delete ...}, ...
local hold = 60 -- seconds after which another sweep may take the same
local pinned_hold = 600 -- seconds until files that other jobs show are checked again

local function is_pinned(member)
  return redis.call('EXISTS', 'pins:' .. member) == 1
end

-- The folders of all attempts at a job; version 1 had one a job, named by its id.
local function folders_of(id)
  local folders = redis.call('SMEMBERS', 'folders:' .. id)
  return #folders > 0 and folders or {'results/' .. id .. '/'}
end

local function sweep_job(member, id)
  local job = load_hash('job:' .. id)
  if job and not is_terminal(job) then
    return {member, job.status == 'running' and job.folder or '', unpack(folders_of(id))} -- files of lost attempts
  elseif job and now < job.completed_at + limits.result_ttl_s then
    return {member, own_folder(job) or '', unpack(folders_of(id))}
  end
  if job then delete_record(job) end -- even while others need its files
  if is_pinned(member) then
    redis.call('ZADD', 'sweep_at', now + pinned_hold, member)
    return nil
  end
  local charged = load_hash('charged:' .. id)
  if charged then
    count_stored(charged, -charged.stored_bytes)
    redis.call('DEL', 'charged:' .. id)
  end
  return {member, '', unpack(folders_of(id))}
end

local function sweep_upload(member, id)
  if is_pinned(member) then return nil end
  local upload = load_hash('upload:' .. id)
  redis.call('ZREM', 'sweep_at', member)
  if not upload then return nil end -- deleted by another program
  redis.call('DEL', 'upload:' .. id)
  redis.call('ZREM', 'uploads_of:' .. (upload.owner or upload.client), id)
  if upload.stored_bytes then count_stored(upload, -upload.stored_bytes) end
  local content = 'content:' .. upload.sha256
  redis.call('HDEL', content, id)
  if redis.call('HLEN', content) > 1 then return nil end -- others share the file
  redis.call('DEL', content)
  redis.call('ZADD', 'sweep_at', now + hold, 'file:' .. upload.key)
  return {'file:' .. upload.key, '', upload.key}
end

-- A process of version 1 adds its entries here, and doesn't find the files of this version.
for _, member in ipairs(redis.call('ZRANGEBYSCORE', 'sweep', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', 'sweep', member)
  redis.call('ZADD', 'sweep_at', 'LT', now, member)
end

drop_stale('sweeping', function(member)
  local due = redis.call('ZSCORE', 'sweep_at', member)
  return not due or tonumber(due) > now + hold
end)

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
for _, task in ipairs(reply) do redis.call('ZADD', 'sweeping', 'NX', now, task[1]) end
return reply
