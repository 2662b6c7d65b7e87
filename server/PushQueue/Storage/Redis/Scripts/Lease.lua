#!lua flags=allow-oom
-- uses: PlainKeys, PlainLease, Codec, Queue, Keys, Advance, Choose, Ranks, Headers, Filter, Turns
-- Reserves the next ready messages.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most, bytes of bodies at most (the first always goes), end of the leases (0: none), number of the
-- node whose life they are bound to (0: none), worker (may be empty), 0 or 1 delivery, 2 streaming, receipts (8 bytes each), the caller's
-- time to choose by (empty: the queue's order), end of the leases by the caller's clock; where nodes share by turns, how many consumers of
-- the node take part and how many messages they could take, else 0 and 0; 1 to lease from a stopped queue, too; a filter (empty: none), and
-- the place where its search goes on (empty: the beginning).
-- Returns: control (-1: no such queue); 1 where the queue is stopped, 2 where messages are left for other nodes, 3 where others took the
-- node for dead, a text where the search of the filter has to go on (stopped_at of Part.Filter.lua), else 0; per message its record and its
-- status (Part.Codec.lua).
local queue = open({ 'stopped', 'fair', 'early' })
if not queue then return { -1 } end
use()
if queue.stopped == '1' and ARGV[14] ~= '1' then return answer({ 0, 1 }) end
if queue.early then return answer({ 0, 0 }) end
if ARGV[6] ~= '0' and call('SISMEMBER', ':buried', ARGV[6]) == 1 then return answer({ 0, 3 }) end

local wanted, bytes_max, lease_end, node = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local worker, delivery, streaming = ARGV[7] ~= '' and ARGV[7] or nil, ARGV[8] == '1', ARGV[8] == '2'
local due_by, callers_end = tonumber(ARGV[10]), tonumber(ARGV[11])
local search = ARGV[15] ~= '' and filtered_chooser(ARGV[15], ARGV[16])
local reply, leased, bytes = { 0, 0 }, 0, 0
local consumers, turns = tonumber(ARGV[12]), nil
if consumers > 0 then
  local ready = chooser(due_by).count()
  turns = read_turns(ARGV[6], consumers)
  turns.share = share_of(turns, wanted, ready)
  turns.left = ready - turns.share
  if turns.share < wanted and turns.left > 0 then reply[2] = 2 end
  wanted = turns.share
end

-- Leases the next messages, up to one whose key has others that may be leased, too: these may come before what is ready now. Returns
-- whether to go on.
local function lease_some()
  local choice = search or chooser(due_by)
  local page = math.min(choice.page_max or 64, wanted - leased)
  local members = choice.page(0, page)
  local n, more, with_keys = 0, #members == page * 2, {}
  for i = 1, #members, 2 do
    local member = members[i]
    local number = number_of(member)
    local record = call('HGET', ':messages', number)
    local flag, length = struct.unpack('>BI4', record)
    bytes = bytes + #record - length
    if leased + n > 0 and bytes > bytes_max then
      more = false
      break
    end
    local state = read_state(call('HGET', ':states', number))
    if not delivery then state.attempts = state.attempts + 1 end
    state.available = members[i + 1]
    state.lease_end, state.node, state.worker = lease_end, node, worker
    state.delivery, state.streaming = delivery, streaming
    state.callers_end = callers_end
    state.receipt = ARGV[9]:sub((leased + n) * 8 + 1, (leased + n) * 8 + 8)
    local packed = pack_state(state)
    call('HSET', ':states', number, packed)
    call('ZADD', ':leased', lease_end ~= 0 and ARGV[5] or ARGV[6], member)
    if callers_end then call('ZADD', ':callers', callers_end, member) end
    if lease_end ~= 0 and node ~= 0 then call('ZADD', ':bound', ARGV[6], member) end
    n = n + 1
    reply[#reply + 1] = record
    reply[#reply + 1] = status(member, 'l', delivery and state.attempts + 1 or state.attempts, 0, state.available, packed)
    if is_keyed(member) then
      local name = read_record(record).key
      with_keys[#with_keys + 1] = { member = member, name = name, state = state, where = choice.where(n) }
      if not choice.serve and not due_by and keys().has_blocked(name) and keys().room(name) > 1 then
        more = true
        break
      end
    end
  end
  if n == 0 then return false end
  choice.remove(n)
  for _, lease in ipairs(with_keys) do
    keys().leave(lease.member, lease.name, lease.state.available, lease.state, lease.where)
    keys().lease(lease.name)
    if choice.settle then
      choice.settle(lease.name)
    elseif not choice.serve then
      keys().settle(lease.name)
    end
  end
  if choice.serve then choice.serve(n) end
  leased = leased + n
  return more and leased < wanted
end

while leased < wanted and lease_some() do end
if leased > 0 and lease_end ~= 0 then note_due(lease_end) end
if search and leased < wanted then
  await_matches()
  reply[2] = search.stopped_at() or reply[2]
end
if turns then end_turn(turns, leased, tonumber(ARGV[13]), turns.left) end
return answer(reply)
