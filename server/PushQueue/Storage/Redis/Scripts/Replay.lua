#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Moves dead letters back to the queue they came from, which is made if it no longer exists.
-- KEYS: the dead-letter queue's hash.
-- ARGV: time, the caller, id (empty: the next ones), how many at most, how many of the first to leave alone.
-- Returns: control (-1: no such queue); how many moved (-1: nobody of that id rests there, -2: one of that id lives in the source queue);
-- how many were left alone because one of their id lives there.
if not open({}) then return { -1 } end
use()

local base, depth = KEY:match('^(.*:)(%d+)$')
local source, source_name = base .. (tonumber(depth) - 1), NAME:sub(1, -6)
local there = redis.call('HMGET', source, 'epoch', 'listed')
if not there[1] then
  make(source, source_name)
  notify('SourceMade')
end
if not there[2] then flags = flags + 4 end

local function lives_there(id)
  if redis.call('HEXISTS', source .. ':ids', id) == 1 then return true end
  if #id > 15 or not id:find('^[1-9]%d*$') then return false end
  local record = redis.call('HGET', source .. ':messages', ('0'):rep(15 - #id) .. id)
  return record and not has(record:byte(1), 1)
end

local members = {}
if ARGV[3] ~= '' then
  local number, record = locate(ARGV[3])
  local member = record and member_of(number, read_record(record))
  if not member or not call('ZSCORE', ':ready', member) then return answer({ 0, -1, 0 }) end
  if lives_there(ARGV[3]) then return answer({ 0, -2, 0 }) end
  members[1] = member
else
  local from = tonumber(ARGV[5])
  members = call('ZRANGE', ':ready', from, from + tonumber(ARGV[4]) - 1)
end

local move_to, moved, left, with_keys = rules().move_to, 0, 0, {}
for _, member in ipairs(members) do
  local number = number_of(member)
  local record = call('HGET', ':messages', number)
  local message = read_record(record)
  if lives_there(id_of(number, message)) then
    left = left + 1
  else
    if moved == 0 and (message.key or redis.call('EXISTS', source .. ':ready') == 0
      or tonumber(redis.call('HGET', source, 'filtered') or 0) > NOW) then
      notify('SourceReady')
    end
    call('ZREM', ':ready', member)
    local state = read_state(call('HGET', ':states', number))
    local there, available = move_to(source, number, record, message, state, nil)
    if is_keyed(there) then with_keys[#with_keys + 1] = { member = there, name = message.key, available = available } end
    forget(number, message)
    moved = moved + 1
  end
end
if #with_keys > 0 then
  -- Their places in their keys are those of the queue that they came to.
  local own = KEY
  KEY, HAS_KEYS, ready_checked = source, true, true
  for _, message in ipairs(with_keys) do keys().ready(message.member, message.name, message.available) end
  key_rules.finish()
  if counts.keysblocked then redis.call('HINCRBY', KEY, 'keysblocked', counts.keysblocked) end
  KEY, HAS_KEYS, counts.keysblocked, key_rules = own, false, nil, nil
end
return answer({ 0, moved, left })
