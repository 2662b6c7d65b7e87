#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Reads broadcast messages again.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, first offset wanted, how many at most, bytes of bodies at most (the first always goes), the highest
-- next offset that the node knows of.
-- Returns: control (-1: no such queue); epoch, first offset in history, next offset, first offset of the epoch; per message its status
-- (Part.Codec.lua), behind its length (u16), and its record.
local queue = open(POSITION)
if not queue then return { -1 } end

local epoch, first, next_offset, from = position(queue, tonumber(ARGV[6]))
local reply = { 0, epoch, first, next_offset, from }
local wanted, bytes_max, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), 0
local offset = math.max(first, tonumber(ARGV[3]))
local held, at_held = nil, 0

-- The next offset that history holds, where it does not hold this one: Redis has lost what lies between, and that may be any number.
local function next_held()
  if not held then
    held = {}
    for _, field in ipairs(call('HKEYS', ':history')) do
      if tonumber(field) > offset then held[#held + 1] = tonumber(field) end
    end
    table.sort(held)
  end
  repeat at_held = at_held + 1 until not held[at_held] or held[at_held] > offset
  return held[at_held] or next_offset
end

while offset < next_offset and #reply - 5 < wanted do
  local message = call('HGET', ':history', string.format('%.0f', offset))
  if not message then
    offset = next_held()
  else
    local at = struct.unpack('>I2', message) + 3
    local flag, length = struct.unpack('>BI4', message, at)
    bytes = bytes + #message - at + 1 - length
    if #reply > 5 and bytes > bytes_max then break end
    reply[#reply + 1] = message
    offset = offset + 1
  end
end
return answer(reply)
