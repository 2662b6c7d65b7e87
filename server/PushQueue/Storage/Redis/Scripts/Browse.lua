#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance, Ranks
-- Returns messages of one state in the order in which they are delivered.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, state (r ready, d delayed, l leased, x dead), score and member behind which the page begins (or two empty ones),
-- how many at most, bytes of bodies at most (the first always goes).
-- Returns: control (-1: no such queue); score and member of the last message that was looked at where there are more, else two empty ones;
-- per message its record and its status (Part.Codec.lua).
local LOOKS_MAX = 5000

if not open({}) then return { -1 } end
-- Only a dead-letter queue holds dead letters.
if ARGV[3] == 'x' and KEY:sub(-2) == ':0' then return answer({ 0, '', '' }) end

local suffix = ({ r = ':ready', d = ':delayed', l = ':leased', x = ':ready' })[ARGV[3]]
local wanted, bytes_max, bytes = tonumber(ARGV[6]), tonumber(ARGV[7]), 0
local reply, last_score, last_member = { 0, '', '' }, nil, nil

local function add(member, score)
  local number = number_of(member)
  local packed = call('HGET', ':states', number)
  local state = read_state(packed)
  if ARGV[3] == 'x' and not state.dead then return true end
  if #reply - 3 == wanted * 2 then return false end
  local record = call('HGET', ':messages', number)
  local flag, length = struct.unpack('>BI4', record)
  bytes = bytes + #record - length
  if last_member and bytes > bytes_max then return false end
  local place = ARGV[3] == 'x' and 'r' or ARGV[3]
  local available = place == 'l' and state.available or place == 'd' and tonumber(score) or available_of(member, score)
  reply[#reply + 1] = record
  reply[#reply + 1] = status(member, place, state.attempts, 0, available, packed)
  last_score, last_member = score, member
  return true
end

-- The members of a sorted set behind the place where the page begins.
local function reader(suffix)
  local rank, page, i = ARGV[4] ~= '' and rank_behind(suffix, ARGV[4], ARGV[5]) or 0, {}, 1
  return {
    head = function()
      if i > #page then
        page, i = call('ZRANGE', suffix, rank, rank + 99, 'WITHSCORES'), 1
        rank = rank + 100
      end
      return page[i], tonumber(page[i + 1])
    end,
    pop = function()
      i = i + 2
      return page[i - 2], page[i - 1]
    end,
  }
end

local ready, blocked = reader(suffix), nil
if ARGV[3] == 'r' and call('EXISTS', ':blocked') == 1 then blocked = reader(':blocked') end
for looked = 1, NEVER do
  local member, score = ready.head()
  local source = ready
  if blocked then
    local other, other_score = blocked.head()
    if other and (not member or other_score < score or (other_score == score and other < member)) then
      member, source = other, blocked
    end
  end
  if not member then return answer(reply) end
  local text_score
  member, text_score = source.pop()
  if not add(member, text_score) then
    reply[2], reply[3] = last_score, last_member
    return answer(reply)
  end
  if looked == LOOKS_MAX then
    reply[2], reply[3] = text_score, member
    return answer(reply)
  end
end
