-- Part: how nodes share a queue under roundrobin. Every message goes to the node whose turn it is: the one that has got the fewest so far,
-- for each of its consumers. A node that has no room is passed over; one that could take more and does not come when it is notified loses
-- its turn.
--
-- :turns is a hash: a node's number to what it has got for each consumer, how many consumers take turns there, how many more messages they
-- could take (f64 each) and since when (Unix milliseconds, Redis's own clock; 0: not) it is notified (f64).
--
-- A node may be ahead of another that has room by LEAD messages a consumer, so that both can work at once; and waits for a node that was
-- notified no longer than PATIENCE milliseconds.
local LEAD, PATIENCE = 64, 250

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function read_turns(node, consumers)
  local turns = { node = node, consumers = consumers, others = {} }
  local all, top, now = call('HGETALL', ':turns'), 0, nil
  for i = 1, #all, 2 do
    local other = { node = all[i] }
    other.got, other.consumers, other.room, other.notified = struct.unpack('>dddd', all[i + 1])
    if other.node == node then
      turns.got = other.got
    else
      top = math.max(top, other.got)
      if other.notified ~= 0 then now = now or clock() end
      if other.notified ~= 0 and now - other.notified > PATIENCE then
        call('HDEL', ':turns', other.node)
      elseif other.room > 0 then
        turns.others[#turns.others + 1] = other
      end
    end
  end
  -- A node that was away does not get its whole backlog at once.
  turns.got = math.max(turns.got or top, top - LEAD)
  return turns
end

local function write_turn(turn)
  call('HSET', ':turns', turn.node, struct.pack('>dddd', turn.got, turn.consumers, turn.room, turn.notified))
end

-- How many of the ready messages are the node's, at most as many as it wants.
local function share_of(turns, wanted, ready)
  if #turns.others == 0 then return math.min(wanted, ready) end
  local step, limit = 1 / turns.consumers, NEVER
  for _, other in ipairs(turns.others) do
    other.step, other.left = 1 / other.consumers, other.room
    other.next = other.got + other.step
    limit = math.min(limit, other.got + LEAD)
  end
  local share, mine = 0, turns.got + step
  while share < wanted and ready > 0 and mine <= limit do
    local first, at, node = nil, mine, turns.node
    for _, other in ipairs(turns.others) do
      if other.left > 0 and (other.next < at or (other.next == at and other.node < node)) then
        first, at, node = other, other.next, other.node
      end
    end
    if first then
      first.left = first.left - 1
      first.next = first.next + first.step
    else
      share = share + 1
      mine = mine + step
    end
    ready = ready - 1
  end
  return share
end

-- Notes what the node has got, and notifies the others that could take the rest.
local function end_turn(turns, given, room, left)
  turns.got, turns.room, turns.notified = turns.got + given / turns.consumers, math.max(0, room - given), 0
  write_turn(turns)
  call('PEXPIRE', ':turns', 3600000)
  if left == 0 then return end
  for _, other in ipairs(turns.others) do
    if other.notified == 0 then
      other.notified = clock()
      write_turn(other)
      notify('Turn', other.node)
    end
  end
end
