#!lua flags=allow-oom
-- uses: Codec, Queue, Advance, Choose, Filter
-- Removes the next ready messages for good.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, 1 to take from a stopped queue too, the caller's time to choose by (empty:
-- the queue's order), bytes of bodies at most, 1 where the first goes whatever its size, bytes of all bodies and bytes of one body beyond
-- which nothing is taken for good; a filter (empty: none), and the rank where its search goes on.
-- Returns: control (-1: no such queue); 1 where the queue is stopped, 2 where the next bodies are too large, -1 and less where the search
-- of the filter goes on at that rank, else 0; per message its record and its status (Part.Codec.lua).
local queue = open({ 'stopped', 'bytes', 'delivered' })
if not queue then return { -1 } end
use()
if queue.stopped == '1' and ARGV[4] ~= '1' then return answer({ 0, 1 }) end

local reply = { 0, 0 }
local filtered = ARGV[10] ~= ''
local choice = filtered and filtered_chooser(ARGV[10], tonumber(ARGV[11])) or chooser(tonumber(ARGV[5]))
local members = choice.page(0, tonumber(ARGV[3]))
local bytes_max, first_goes = tonumber(ARGV[6]), ARGV[7] == '1'
local at_once, each_at_once = tonumber(ARGV[8]), tonumber(ARGV[9])
local n, bytes, records, messages = 0, 0, {}, {}
for i = 1, #members, 2 do
  local record = call('HGET', ':messages', number_of(members[i]))
  local message = read_record(record)
  bytes = bytes + message.bytes
  if bytes > bytes_max and (n > 0 or not first_goes) then break end
  if bytes > at_once then return answer({ 0, 2 }) end
  if message.bytes > each_at_once then
    if n == 0 then return answer({ 0, 2 }) end
    break
  end
  n = n + 1
  records[n], messages[n] = record, message
end
for i = 1, 2 * n, 2 do
  local member = members[i]
  local number = number_of(member)
  local record, message = records[(i + 1) / 2], messages[(i + 1) / 2]
  local state = call('HGET', ':states', number)
  local attempt = read_state(state).attempts + 1
  reply[#reply + 1] = record
  reply[#reply + 1] = status(member, choice.place((i + 1) / 2), attempt, 0, members[i + 1], state)
  forget(number, message)
  notify_finished(id_of(number, message), true, nil, attempt)
end
if n > 0 then
  choice.remove(n)
  count('delivered', n)
end
if filtered and #members < tonumber(ARGV[3]) * 2 then
  await_matches()
  if choice.stopped_at then reply[2] = -(choice.stopped_at - n) end
end
return answer(reply)
