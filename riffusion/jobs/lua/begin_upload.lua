#!lua
-- Charges a create for an upload before any of it is read, even if the upload fails later.
-- ARGV[1]: JSON {scopes, quota, size}.
-- Returns {"ok"}, {"too many creates", seconds to wait}, {"too many a day", seconds to wait}, {"too many", what},
-- {"no storage"}, {"no memory"} or {"blocked", reason}.
local charge = cjson.decode(ARGV[1])
local blocked = refuse_blocked(charge.scopes)
if blocked then return blocked end
local too_many = take_creates(charge.scopes, charge.quota, 1)
if too_many then return too_many end
if not has_memory() then return {'no memory'} end
if exceeds(charge.scopes, 'stored_bytes', charge.quota.stored_bytes, charge.size) then
  return {'too many', 'stored_bytes'}
end
if storage_is_full(charge.size) then return {'no storage'} end
return {'ok'}
