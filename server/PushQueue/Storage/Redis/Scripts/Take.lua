#!lua flags=allow-oom
-- uses: PlainTake, Codec, Queue, Keys, Advance, Choose, Ranks, Headers, Filter
-- Removes the next ready messages for good.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, 1 to take from a stopped queue too, the caller's time to choose by (empty:
-- the queue's order), bytes of bodies at most, 1 where the first goes whatever its size, bytes of all bodies and bytes of one body beyond
-- which nothing is taken for good; a filter (empty: none), and the place where its search goes on (empty: the beginning).
-- Returns: control (-1: no such queue); 1 where the queue is stopped, 2 where the next bodies are too large, a text where the search of the
-- filter has to go on (stopped_at of Part.Filter.lua), else 0; per message its record and its status (Part.Codec.lua).
local queue = open({ 'stopped', 'bytes', 'delivered', 'fair', 'early' })
if not queue then return { -1 } end
use()
if queue.stopped == '1' and ARGV[4] ~= '1' then return answer({ 0, 1 }) end
if queue.early then return answer({ 0, 0 }) end

local reply, due_by, wanted = { 0, 0 }, tonumber(ARGV[5]), tonumber(ARGV[3])
local search = ARGV[10] ~= '' and filtered_chooser(ARGV[10], ARGV[11])
local bytes_max, first_goes = tonumber(ARGV[6]), ARGV[7] == '1'
local at_once, each_at_once = tonumber(ARGV[8]), tonumber(ARGV[9])
local taken, bytes, too_large = 0, 0, false

-- Takes the next messages, up to one whose key has others behind it: these may come before what is ready now. Returns whether to go on.
local function take_some()
  local choice = search or chooser(due_by, true)
  local page = math.min(choice.page_max or wanted, wanted - taken)
  local members = choice.page(0, page)
  local n, has_keys, more, records, messages = 0, false, #members == page * 2 and taken + page < wanted, {}, {}
  for i = 1, #members, 2 do
    local record = call('HGET', ':messages', number_of(members[i]))
    local message = read_record(record)
    local sum = bytes + message.bytes
    if sum > bytes_max and (taken + n > 0 or not first_goes) then
      more = false
      break
    end
    if sum > at_once then
      -- All or nothing, as far as it can be seen in one step.
      if taken == 0 then
        too_large = true
        return false
      end
      more = false
      break
    end
    if message.bytes > each_at_once then
      too_large = taken + n == 0
      more = false
      break
    end
    n, bytes = n + 1, sum
    records[n], messages[n] = record, message
    if is_keyed(members[i]) then
      has_keys = true
      if not choice.serve and not due_by and keys().has_blocked(message.key) then
        more = taken + n < wanted
        break
      end
    end
  end
  if n == 0 then return false end
  choice.remove(n)
  for i = 1, n do
    local member, available = members[2 * i - 1], members[2 * i]
    local number = number_of(member)
    local record, message = records[i], messages[i]
    local packed = call('HGET', ':states', number)
    local state = read_state(packed)
    reply[#reply + 1] = record
    reply[#reply + 1] = status(member, choice.place(i), state.attempts + 1, 0, available, packed)
    if has_keys and is_keyed(member) then keys().leave(member, message.key, available, state, choice.where(i)) end
    forget(number, message)
    if choice.settle and is_keyed(member) then choice.settle(message.key) end
    notify_finished(id_of(number, message), true, nil, state.attempts + 1)
  end
  if choice.serve then choice.serve(n) end
  count('delivered', n)
  taken = taken + n
  return more
end

while take_some() do end
if too_large then return answer({ 0, 2 }) end
if search and taken < wanted then
  await_matches()
  reply[2] = search.stopped_at() or reply[2]
end
return answer(reply)
