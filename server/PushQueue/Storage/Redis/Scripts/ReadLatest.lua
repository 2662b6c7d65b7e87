#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Reads the newest broadcast message of each key, in the order of their offsets.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, first offset wanted, how many at most, bytes of bodies at most (the first always goes), the highest
-- next offset that the node knows of.
-- Returns: as ReadHistory.
local queue = open(POSITION)
if not queue then return { -1 } end

local epoch, first, next_offset, from = position(queue, tonumber(ARGV[6]))
local reply = { 0, epoch, first, next_offset, from }
local wanted, bytes_max, bytes, rank = tonumber(ARGV[4]), tonumber(ARGV[5]), 0, 0
while #reply - 5 < wanted do
  local entries = call('ZRANGEBYSCORE', ':latest', ARGV[3], '+inf', 'WITHSCORES', 'LIMIT', rank, 64)
  for i = 2, #entries, 2 do
    local message = call('HGET', ':history', string.format('%.0f', entries[i]))
    if message then
      local at = struct.unpack('>I2', message) + 3
      local flag, length = struct.unpack('>BI4', message, at)
      bytes = bytes + #message - at + 1 - length
      if #reply - 5 == wanted or (#reply > 5 and bytes > bytes_max) then return answer(reply) end
      reply[#reply + 1] = message
    end
  end
  if #entries < 128 then break end
  rank = rank + 64
end
return answer(reply)
