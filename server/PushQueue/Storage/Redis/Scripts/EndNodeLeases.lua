#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Ends the leases of a node that has stopped, and returns their messages. That does not count as a failed attempt of a consumer.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, number of the node, how many at most, for how many milliseconds the node may lease nothing here (0: it will not
-- ask again).
-- Returns: control (-1: no such queue); how many leases ended.
-- The node may only be frozen. If it continued and leased before its next heartbeat, no node would ever end that lease.
if ARGV[5] ~= '0' then
  call('SADD', ':buried', ARGV[3])
  call('PEXPIRE', ':buried', ARGV[5])
end
if not open({}) then return { -1, 0 } end

-- The node takes no turn any more. Other nodes would not remove it here if it had no room left, because they notify only nodes with room.
call('HDEL', ':turns', ARGV[3])

local request = { delay = 0, counts = false }
local end_lease, ended = rules().end_lease, 0
for _, suffix in ipairs({ ':leased', ':bound' }) do
  for _, member in ipairs(call('ZRANGEBYSCORE', suffix, ARGV[3], ARGV[3], 'LIMIT', 0, tonumber(ARGV[4]))) do
    local number = number_of(member)
    local record = call('HGET', ':messages', number)
    end_lease(number, record, read_record(record), read_state(call('HGET', ':states', number)), request)
    ended = ended + 1
  end
end
return answer({ 0, ended })
