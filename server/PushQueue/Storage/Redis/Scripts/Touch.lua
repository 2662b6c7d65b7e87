#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Leases
-- Sets another end of leases.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, the end; then per lease its message's id and its receipt.
-- Returns: control (-1: no such queue); per lease 0: done, 1: lost, 2: no such message.
if not open({}) then return { -1 } end
use()

local lease_end = tonumber(ARGV[3])
return answer(for_each_lease(4, function(number, record, message, state)
  local member = member_of(number, message)
  if state.delivery or state.streaming then
    call('ZADD', ':bound', string.format('%.0f', state.node), member)
  else
    -- A lease that had no end is an ordinary one from now on.
    state.node = 0
  end
  state.lease_end = lease_end
  call('ZADD', ':leased', ARGV[3], member)
  call('HSET', ':states', number, pack_state(state))
  note_due(lease_end)
end))
