#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Leases
-- Returns leased messages to their queue; a counted release after the last attempt, or one that says so, dead-letters the message.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, delay in ticks (empty: the retry delay), 1 and the error or 0, 1 where it counts as an attempt and 2 where it is
-- also to be dead-lettered, who gives it back (may be empty), the exact time from which it is available (empty: none), first and last wait
-- in ticks where neither the message nor the queue has a retry delay (0: none); then per lease its message's id and its receipt.
-- Returns: control (-1: no such queue); per lease 0: done, 1: lost, 2: no such message.
if not open({}) then return { -1 } end
use()

local request = {
  delay = tonumber(ARGV[3]),
  error = ARGV[4]:sub(1, 1) == '1' and ARGV[4]:sub(2) or nil,
  counts = ARGV[5] ~= '0',
  dead = ARGV[5] == '2',
  worker = ARGV[6] ~= '' and ARGV[6] or nil,
  at = tonumber(ARGV[7]),
  backoff1 = tonumber(ARGV[8]),
  backoff2 = tonumber(ARGV[9]),
}
local end_lease = rules().end_lease
return answer(for_each_lease(10, function(number, record, message, state)
  end_lease(number, record, message, state, request)
end))
