#!lua flags=allow-oom
-- uses: Codec, Queue, Advance
-- Gives the next ready messages their offsets and moves them to history.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, bytes of bodies at most (the first always goes), the highest next offset that the node knows
-- of.
-- Returns: control (-1: no such queue); the next offset; per message its record and its status (Part.Codec.lua).
local queue = open({ 'stopped', 'bytes', 'delivered', 'perkey', unpack(POSITION) })
if not queue then return { -1 } end
use()

local _, first, next_offset = position(queue, tonumber(ARGV[5]))
if queue.stopped == '1' then return answer({ 0, next_offset }) end

-- The message is the newest of its key; the one that is kept for the key beyond the limits of history goes.
local function supersede(message, offset)
  local before = tonumber(call('ZSCORE', ':latest', message.key) or first)
  if before < first then call('HDEL', ':history', string.format('%.0f', before)) end
  if message.bytes > 0 then
    call('ZADD', ':latest', offset, message.key)
  else
    call('ZREM', ':latest', message.key)
  end
end

local wanted, bytes_max = tonumber(ARGV[3]), tonumber(ARGV[4])
local reply, sent, bytes = { 0, 0 }, 0, 0
while sent < wanted do
  local page = math.min(64, wanted - sent)
  local members = call('ZRANGE', ':ready', sent, sent + page - 1, 'WITHSCORES')
  for i = 1, #members, 2 do
    local member = members[i]
    local number = number_of(member)
    local record, state = call('HGET', ':messages', number), call('HGET', ':states', number)
    local message = read_record(record)
    bytes = bytes + message.bytes
    if sent > 0 and bytes > bytes_max then
      wanted = 0
      break
    end
    local attempt = read_state(state).attempts + 1
    local offset = next_offset + sent
    local out = status(member, 'r', attempt, offset, available_of(member, members[i + 1]), state)
    reply[#reply + 1] = record
    reply[#reply + 1] = out
    call('HSET', ':history', string.format('%.0f', offset), text(out) .. record)
    if message.key and queue.perkey == '1' then supersede(message, offset) end
    forget(number, message)
    notify_finished(id_of(number, message), true, nil, attempt)
    sent = sent + 1
  end
  if #members < page * 2 then break end
end
if sent > 0 then
  call('ZREMRANGEBYRANK', ':ready', 0, sent - 1)
  count('delivered', sent)
  next_offset = next_offset + sent
  redis.call('HSET', KEY, 'next', next_offset)
  call('RPUSH', ':rounds', string.format('%.0f:%.0f', NOW, next_offset - 1))
  rules().trim_history(first, next_offset)
  notify('Broadcast', string.format('%.0f', next_offset))
end
reply[2] = next_offset
return answer(reply)
