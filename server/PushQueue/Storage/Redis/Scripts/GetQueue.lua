#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Returns the state and the settings of a queue.
-- KEYS: the queue's hash.
-- ARGV: time, the caller; the highest next offset that the node knows of; then the names of the fields wanted.
-- Returns: control (-1: no such queue); epoch, first offset in history, next offset, first offset of the epoch; ready, delayed, leased;
-- when the oldest ready message was put and the first delayed one is due (each empty if no such message exists); keys; then the fields.
local queue = open(POSITION)
if not queue then return { -1 } end

if key_rules then key_rules.finish() end
local epoch, first, next_offset, from = position(queue, tonumber(ARGV[3]))
local oldest, oldest_since = '', NEVER
local function find_oldest(suffix)
  local band = 0
  while true do
    local head = call('ZRANGEBYSCORE', suffix, string.format('%.0f', band * BAND), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not head[1] then return end
    band = math.floor(tonumber(head[2]) / BAND)
    local since = tonumber(head[2]) - band * BAND
    if since < oldest_since then
      oldest_since = since
      oldest = string.format('%.0f', read_record(call('HGET', ':messages', number_of(head[1]))).put)
    end
    band = band + 1
  end
end

find_oldest(':ready')
local blocked = call('ZCARD', ':blocked')
if blocked > 0 then find_oldest(':blocked') end

local reply = {
  0, epoch, first, next_offset, from,
  call('ZCARD', ':ready') + blocked, call('ZCARD', ':delayed'), call('ZCARD', ':leased'),
  oldest, call('ZRANGE', ':delayed', 0, 0, 'WITHSCORES')[2] or '', call('ZCARD', ':keynames'),
}
local wanted = {}
for i = 4, #ARGV do wanted[#wanted + 1] = ARGV[i] end
for i, value in ipairs(redis.call('HMGET', KEY, unpack(wanted))) do
  local pending = counts[wanted[i]] or 0
  reply[#reply + 1] = pending ~= 0 and string.format('%.0f', tonumber(value or 0) + pending) or value or ''
end
return answer(reply)
