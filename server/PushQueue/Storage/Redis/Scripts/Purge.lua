#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Find
-- Removes live messages of any state, the next ready ones first.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most.
-- Returns: control (-1: no such queue); how many are gone.
if not open({}) then return { -1 } end
use()

local wanted, gone = tonumber(ARGV[3]), 0

local function purge(suffix, place)
  if gone == wanted then return false end
  local page = call('ZRANGE', suffix, 0, wanted - gone - 1, 'WITHSCORES')
  for i = 1, #page, 2 do
    local member = page[i]
    local number = number_of(member)
    local message, state = read_record(call('HGET', ':messages', number)), read_state(call('HGET', ':states', number))
    local id = id_of(number, message)
    if place == 'l' then notify('LeasedCancelled', id, state.receipt) end
    leave_place(place, member, state, message, place == 'r' and available_of(member, page[i + 1]))
    forget(number, message)
    notify_finished(id, false, state.last_worker, state.attempts, 'cancelled')
    gone = gone + 1
  end
  return #page > 0
end

-- A message that goes may expose one that was blocked.
while purge(':ready', 'r') do end
if HAS_KEYS then purge(':blocked', 'r') end
purge(':delayed', 'd')
purge(':leased', 'l')
count('cancelled', gone)
return answer({ 0, gone })
