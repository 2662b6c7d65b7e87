#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Find
-- Makes a live message available at another time; a lease that it has ends.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, id, when.
-- Returns: control (-1: no such queue); 1 where there was one, else 0.
local queue = open({ 'available' })
if not queue then return { -1 } end
use()

local number, record = locate(ARGV[3])
if not record then return answer({ 0, 0 }) end
local message, state = read_record(record), read_state(call('HGET', ':states', number))
local place, available, member = place_of(number, message, state)
if place == 'l' then
  -- Its worker gets the same notification as after a cancel, although the message stays.
  notify('LeasedCancelled', ARGV[3], state.receipt)
  if not state.delivery then notify('LeaseEnded', ARGV[3], state.receipt) end
end
leave_place(place, member, state, message, available)
local at = tonumber(ARGV[4])
state.available, state.place = at, nil
if at <= NOW then
  state.available = math.max(tonumber(queue.available or 0), NOW)
  redis.call('HSET', KEY, 'available', state.available)
end
rules().return_message(number, message, state, at > NOW)
return answer({ 0, 1 })
