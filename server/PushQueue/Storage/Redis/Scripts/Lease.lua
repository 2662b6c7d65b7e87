#!lua flags=allow-oom
-- uses: Codec, Queue, Advance, Choose, Filter, Turns
-- Reserves the next ready messages.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, bytes of bodies at most (the first always goes), end of the leases (0: none), number of the
-- node whose life they are bound to (0: none), worker (may be empty), 0 or 1 delivery, 2 streaming, receipts (8 bytes each), the caller's
-- time to choose by (empty: the queue's order), end of the leases by the caller's clock; where nodes share by turns, how many consumers of
-- the node take part and how many messages they could take, else 0 and 0; 1 to lease from a stopped queue, too; a filter (empty: none), and
-- the rank where its search goes on.
-- Returns: control (-1: no such queue); 1 where the queue is stopped, 2 where messages are left for other nodes, 3 where others took the
-- node for dead, -1 and less where the search of the filter goes on at that rank, else 0; per message its record and its status
-- (Part.Codec.lua).
local queue = open({ 'stopped' })
if not queue then return { -1 } end
use()
if queue.stopped == '1' and ARGV[14] ~= '1' then return answer({ 0, 1 }) end
if ARGV[6] ~= '0' and call('SISMEMBER', ':buried', ARGV[6]) == 1 then return answer({ 0, 3 }) end

local wanted, bytes_max, lease_end, node = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local worker, delivery, streaming = ARGV[7] ~= '' and ARGV[7] or nil, ARGV[8] == '1', ARGV[8] == '2'
local filtered = ARGV[15] ~= ''
local choice = filtered and filtered_chooser(ARGV[15], tonumber(ARGV[16])) or chooser(tonumber(ARGV[10]))
local callers_end = tonumber(ARGV[11])
local reply, leased, bytes = { 0, 0 }, 0, 0
local consumers, turns = tonumber(ARGV[12]), nil
if consumers > 0 then
  local ready = call('ZCARD', ':ready')
  turns = read_turns(ARGV[6], consumers)
  turns.share = share_of(turns, wanted, ready)
  turns.left = ready - turns.share
  if turns.share < wanted and turns.left > 0 then reply[2] = 2 end
  wanted = turns.share
end
while leased < wanted do
  local page = math.min(64, wanted - leased)
  local members = choice.page(leased, page)
  for i = 1, #members, 2 do
    local member = members[i]
    local number = number_of(member)
    local record = call('HGET', ':messages', number)
    local flag, length = struct.unpack('>BI4', record)
    bytes = bytes + #record - length
    if leased > 0 and bytes > bytes_max then
      wanted = 0
      break
    end
    local state = read_state(call('HGET', ':states', number))
    if not delivery then state.attempts = state.attempts + 1 end
    state.available = members[i + 1]
    state.lease_end, state.node, state.worker = lease_end, node, worker
    state.delivery, state.streaming = delivery, streaming
    state.callers_end = callers_end
    state.receipt = ARGV[9]:sub(leased * 8 + 1, leased * 8 + 8)
    local packed = pack_state(state)
    call('HSET', ':states', number, packed)
    call('ZADD', ':leased', lease_end ~= 0 and ARGV[5] or ARGV[6], member)
    if callers_end then call('ZADD', ':callers', callers_end, member) end
    if lease_end ~= 0 and node ~= 0 then call('ZADD', ':bound', ARGV[6], member) end
    leased = leased + 1
    reply[#reply + 1] = record
    reply[#reply + 1] = status(member, 'l', delivery and state.attempts + 1 or state.attempts, 0, state.available, packed)
  end
  if #members < page * 2 then break end
end
if leased > 0 then
  choice.remove(leased)
  if lease_end ~= 0 then note_due(lease_end) end
end
if filtered and leased < wanted then
  await_matches()
  if choice.stopped_at then reply[2] = -(choice.stopped_at - leased) end
end
if turns then end_turn(turns, leased, tonumber(ARGV[13]), turns.left) end
return answer(reply)
