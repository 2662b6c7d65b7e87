#!lua flags=allow-oom
-- uses: PlainKeys, PlainAck, Codec, Queue, Keys, Advance, Leases
-- Ends leases whose work is done: the messages are gone.
-- KEYS: the queue's hash.
-- ARGV: time, the caller; then per lease its message's id and its receipt.
-- Returns: control (-1: no such queue); per lease 0: done, 1: lost, 2: no such message.
if not open({}) then return { -1 } end
use()

return answer(for_each_lease(3, function(number, record, message, state)
  leave_leases(member_of(number, message), state, message)
  forget(number, message)
  count('delivered', 1)
  if not state.delivery then count('acked', 1) end
  local attempts = state.delivery and state.attempts + 1 or state.attempts
  notify_finished(id_of(number, message), true, state.worker, attempts, nil, not state.delivery and state.receipt or nil)
end))
