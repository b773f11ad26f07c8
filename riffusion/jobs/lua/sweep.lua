#!lua flags=allow-oom
-- What may be deleted now. ARGV: how many at most.
-- Answers {member, prefix of the keys to delete, prefix of those to keep or ""}, ... ; say so to swept.lua afterwards.
local hold = 60 -- seconds after which another sweep takes over

local function is_pinned(member)
  return redis.call('EXISTS', 'pins:' .. member) == 1
end

local function sweep_job(member, id)
  local prefix = 'results/' .. id .. '/'
  local job = load('job:' .. id)
  if job and now < job.completed_at + limits.result_ttl_s then
    return {member, prefix, job.status == 'succeeded' and prefix .. job.token .. '/' or ''}
  end
  if job then forget(job) end -- also while others need its files
  if is_pinned(member) then return nil end
  return {member, prefix, ''}
end

local function sweep_upload(member, id)
  if is_pinned(member) then return nil end
  local upload = load('upload:' .. id)
  redis.call('ZREM', 'sweep', member)
  if not upload then return nil end -- deleted behind the store's back
  redis.call('DEL', 'upload:' .. id)
  local content = 'content:' .. upload.sha256
  redis.call('HDEL', content, id)
  if redis.call('HLEN', content) > 1 then return nil end -- others share the file
  redis.call('DEL', content)
  redis.call('ZADD', 'sweep', now + hold, 'file:' .. upload.key)
  return {'file:' .. upload.key, upload.key, ''}
end

local reply = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', 'sweep', '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local kind, name = string.match(member, '^(%a+):(.*)$')
  redis.call('ZADD', 'sweep', now + hold, member)
  if kind == 'file' then
    reply[#reply + 1] = {member, name, ''}
  else
    local task = kind == 'job' and sweep_job(member, name) or kind == 'upload' and sweep_upload(member, name)
    if task then reply[#reply + 1] = task end
  end
end
return reply
