#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Find
-- Removes live messages of any state, the next ready ones first.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most.
-- Returns: control (-1: no such queue); how many are gone.
if not open({}) then return { -1 } end
use()

local wanted, gone = tonumber(ARGV[3]), 0

local function purge(members, place)
  for i = 1, #members, 2 do
    local member = members[i]
    local number = number_of(member)
    local message, state = read_record(call('HGET', ':messages', number)), read_state(call('HGET', ':states', number))
    local id = id_of(number, message)
    if place == 'l' then notify('LeasedCancelled', id, state.receipt) end
    leave_place(place, member, state, message, place == 'r' and available_of(member, members[i + 1]))
    forget(number, message)
    notify_finished(id, false, state.last_worker, state.attempts, 'cancelled')
    gone = gone + 1
  end
end

local function first_of(suffix)
  return gone < wanted and call('ZRANGE', suffix, 0, wanted - gone - 1, 'WITHSCORES') or {}
end

-- The first ready ones, whether their keys wait or not.
local function first_ready()
  local ready, blocked = first_of(':ready'), HAS_KEYS and first_of(':blocked') or {}
  if #blocked == 0 then return ready end
  local first, i, j = {}, 1, 1
  while #first < 2 * wanted and (ready[i] or blocked[j]) do
    local one, other = tonumber(ready[i + 1]), tonumber(blocked[j + 1])
    if one and (not other or one < other or (one == other and ready[i] < blocked[j])) then
      first[#first + 1], first[#first + 2] = ready[i], ready[i + 1]
      i = i + 2
    else
      first[#first + 1], first[#first + 2] = blocked[j], blocked[j + 1]
      j = j + 2
    end
  end
  return first
end

purge(first_ready(), 'r')
purge(first_of(':delayed'), 'd')
purge(first_of(':leased'), 'l')
count('cancelled', gone)
return answer({ 0, gone })
