#!lua flags=allow-oom
-- uses: Codec
-- Returns the state and the settings of many queues of one server, without bringing them to the present: a queue where something is due, or
-- whose offsets are of an earlier incarnation, is left to GetQueue.
-- KEYS: the hashes of the queues.
-- ARGV: time; then the names of the fields wanted.
-- Returns: per queue as many elements as GetQueue has behind its control, and one before them: 1 where they are valid, 0 where there is no
-- such queue, -1 where GetQueue must be asked.
local BAND, NOW = 4398046511104, tonumber(ARGV[1])
local wanted = { 'epoch', 'due', 'incarnation', 'first', 'next', 'epochoffset' }
local HEAD = #wanted
for i = 2, #ARGV do wanted[#wanted + 1] = ARGV[i] end

-- When the oldest ready message of any priority was put.
local function oldest_in(key, has_blocked)
  local oldest, oldest_since = '', math.huge
  local function find(ready)
    local band = 0
    while true do
      local head = redis.call('ZRANGEBYSCORE', ready, string.format('%.0f', band * BAND), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
      if not head[1] then return end
      band = math.floor(tonumber(head[2]) / BAND)
      local since = tonumber(head[2]) - band * BAND
      if since < oldest_since then
        oldest_since = since
        oldest = string.format('%.0f', read_record(redis.call('HGET', key .. ':messages', head[1]:sub(1, 15))).put)
      end
      band = band + 1
    end
  end
  find(key .. ':ready')
  if has_blocked then find(key .. ':blocked') end
  return oldest
end

local reply = {}
local function add(value) reply[#reply + 1] = value end

for _, key in ipairs(KEYS) do
  local values = redis.call('HMGET', key, unpack(wanted))
  local state = 1
  if not values[1] then
    state = 0
  elseif tonumber(values[2] or math.huge) <= NOW or values[3] ~= INCARNATION then
    state = -1
  end
  add(state)
  if state == 1 then
    local blocked = redis.call('ZCARD', key .. ':blocked')
    local ready = redis.call('ZCARD', key .. ':ready') + blocked
    local delayed = redis.call('ZCARD', key .. ':delayed')
    add(values[1])
    add(tonumber(values[4] or 1))
    add(tonumber(values[5] or 1))
    add(tonumber(values[6] or 1))
    add(ready)
    add(delayed)
    add(redis.call('ZCARD', key .. ':leased'))
    add(ready > 0 and oldest_in(key, blocked > 0) or '')
    add(delayed > 0 and redis.call('ZRANGE', key .. ':delayed', 0, 0, 'WITHSCORES')[2] or '')
    add(redis.call('ZCARD', key .. ':keynames'))
    for i = HEAD + 1, #wanted do add(values[i] or '') end
  else
    for i = 1, 10 + #wanted - HEAD do add('') end
  end
end
return reply
