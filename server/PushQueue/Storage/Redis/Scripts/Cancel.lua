#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Find
-- Removes a live message in any state.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, id.
-- Returns: control (-1: no such queue); 1 where there was one, else 0.
if not open({}) then return { -1 } end
use()

local number, record = locate(ARGV[3])
if not record then return answer({ 0, 0 }) end
local message, state = read_record(record), read_state(call('HGET', ':states', number))
local place, available, member = place_of(number, message, state)
if place == 'l' then notify('LeasedCancelled', ARGV[3], state.receipt) end
leave_place(place, member, state, message, available)
forget(number, message)
count('cancelled', 1)
notify_finished(ARGV[3], false, state.last_worker, state.attempts, 'cancelled')
return answer({ 0, 1 })
