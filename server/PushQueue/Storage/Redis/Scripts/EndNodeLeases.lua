#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Returns the messages that a node held that is gone. Its stop does not count as a failed attempt of a consumer.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, number of the node, how many at most, for how long (milliseconds; 0: it does not ask any more) the node must
-- lease nothing here.
-- Returns: control (-1: no such queue); how many leases ended.
-- The node may only be frozen: if it wakes and leases before its next heartbeat, nobody would ever end that lease.
if ARGV[5] ~= '0' then
  call('SADD', ':buried', ARGV[3])
  call('PEXPIRE', ':buried', ARGV[5])
end
if not open({}) then return { -1, 0 } end

-- It takes no turn any more; who has no room is asked for none, so that nobody else would take it off.
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
