#!lua flags=allow-oom
-- uses: Codec, Queue, Advance
-- Returns the ids of the last ready messages, the last first.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most.
-- Returns: control (-1: no such queue); their ids.
if not open({}) then return { -1 } end

local reply = { 0 }
for _, member in ipairs(call('ZREVRANGE', ':ready', 0, tonumber(ARGV[3]) - 1)) do
  local number = number_of(member)
  reply[#reply + 1] = id_of(number, read_record(call('HGET', ':messages', number)))
end
return answer(reply)
