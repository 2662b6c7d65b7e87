#!lua flags=allow-oom
-- uses: Codec, Queue, Advance, Find
-- Removes live messages of any state, the next ready ones first.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most.
-- Returns: control (-1: no such queue); how many are gone.
if not open({}) then return { -1 } end
use()

local wanted, gone = tonumber(ARGV[3]), 0

local function purge(suffix, place)
  if gone == wanted then return end
  for _, member in ipairs(call('ZRANGE', suffix, 0, wanted - gone - 1)) do
    local number = number_of(member)
    local message, state = read_record(call('HGET', ':messages', number)), read_state(call('HGET', ':states', number))
    local id = id_of(number, message)
    if place == 'l' then notify('LeasedCancelled', id, state.receipt) end
    leave_place(place, member, state)
    forget(number, message)
    notify_finished(id, false, state.last_worker, state.attempts, 'cancelled')
    gone = gone + 1
  end
end

purge(':ready', 'r')
purge(':delayed', 'd')
purge(':leased', 'l')
count('cancelled', gone)
return answer({ 0, gone })
