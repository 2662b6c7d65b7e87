#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Ends leases that are over by their callers' clock, the earliest first, as failed attempts.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, the caller's time, how many at most.
-- Returns: control (-1: no such queue); how many ended.
if not open({}) then return { -1, 0 } end
use()

local end_lease, ended = rules().end_lease, 0
local request = { delay = 0, error = 'the lease ended without an ack', counts = true }
for _, member in ipairs(call('ZRANGEBYSCORE', ':callers', '-inf', ARGV[3], 'LIMIT', 0, tonumber(ARGV[4]))) do
  local number = number_of(member)
  local record = call('HGET', ':messages', number)
  end_lease(number, record, read_record(record), read_state(call('HGET', ':states', number)), request)
  ended = ended + 1
end
return answer({ 0, ended })
