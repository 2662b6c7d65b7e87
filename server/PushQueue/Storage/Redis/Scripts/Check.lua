#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Leases
-- Checks whether leases are current.
-- KEYS: the queue's hash.
-- ARGV: time, the caller; then per lease its message's id and its receipt.
-- Returns: control (-1: no such queue); per lease 0: stands, 1: lost, 2: no such message.
if not open({}) then return { -1 } end

return answer(for_each_lease(3, function() end))
