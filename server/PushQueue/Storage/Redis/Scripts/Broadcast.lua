#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Choose
-- Gives the next ready messages their offsets and moves them to history.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, bytes of bodies at most (the first always goes), the highest next offset that the node knows
-- of.
-- Returns: control (-1: no such queue); the next offset; per message its record and its status (Part.Codec.lua).
local queue = open({ 'stopped', 'bytes', 'delivered', 'perkey', 'fair', 'early', unpack(POSITION) })
if not queue then return { -1 } end
use()

local _, first, next_offset = position(queue, tonumber(ARGV[5]))
if queue.stopped == '1' or queue.early then return answer({ 0, next_offset }) end

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

-- Gives out the next messages, up to one whose key has others behind it: these may come before what is ready now. Returns whether to go on.
local function send_some()
  local choice = chooser(nil, true)
  local page = math.min(64, wanted - sent)
  local members = choice.page(0, page)
  local n, more, messages = 0, #members == page * 2, {}
  for i = 1, #members, 2 do
    local member, available = members[i], members[i + 1]
    local number = number_of(member)
    local record, packed = call('HGET', ':messages', number), call('HGET', ':states', number)
    local message, state = read_record(record), read_state(packed)
    bytes = bytes + message.bytes
    if sent + n > 0 and bytes > bytes_max then
      more = false
      break
    end
    local attempt = state.attempts + 1
    local offset = next_offset + sent + n
    local out = status(member, 'r', attempt, offset, available, packed)
    reply[#reply + 1] = record
    reply[#reply + 1] = out
    call('HSET', ':history', string.format('%.0f', offset), text(out) .. record)
    if message.key and queue.perkey == '1' then supersede(message, offset) end
    notify_finished(id_of(number, message), true, nil, attempt)
    n = n + 1
    messages[n] = { member = member, number = number, available = available, message = message, state = state }
    if not choice.serve and is_keyed(member) and keys().has_blocked(message.key) then
      more = true
      break
    end
  end
  if n == 0 then return false end
  choice.remove(n)
  for i, out in ipairs(messages) do
    if is_keyed(out.member) then keys().leave(out.member, out.message.key, out.available, out.state, choice.where(i)) end
    forget(out.number, out.message)
  end
  if choice.serve then choice.serve(n) end
  sent = sent + n
  return more and sent < wanted
end

while send_some() do end
if sent > 0 then
  count('delivered', sent)
  next_offset = next_offset + sent
  redis.call('HSET', KEY, 'next', next_offset)
  call('RPUSH', ':rounds', string.format('%.0f:%.0f', NOW, next_offset - 1))
  rules().trim_history(first, next_offset)
  notify('Broadcast', string.format('%.0f', next_offset))
end
reply[2] = next_offset
return answer(reply)
