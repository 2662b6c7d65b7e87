-- Part: how a message stands in Redis. RedisRecord.cs and RedisState.cs read and write the same bytes (all numbers big-endian).
--
-- Record (field of :messages, never changed): flags u8 (1 id, 2 unique key, 4 max attempts, 8 retry delay, 16 time to live, 32 trace, 64
-- key, 128 headers), length of all before the body u32, priority as a digit, time of the put f64; then where flagged the put plus the time
-- to live f64, max attempts u32, retry delay first and last f64 (ticks), id, unique key, key; then content type; where flagged the trace
-- context and the headers; then the body. Texts are preceded by their length, u16. Times are Unix milliseconds. Headers are one text: per
-- header its name, behind its length u8, and its value, in the order of the names.
--
-- State (field of :states, only where a message has one): bits u8 (1 delivery, 2 worker, 4 last worker, 8 last error, 16 dead letter, 32
-- streaming, 64 leased by the caller's clock, 128 kept its place in its key), attempts u32, looks u32, available f64 (while leased), lease
-- end f64 (0: none), node f64 (0: none), receipt 8 bytes; then worker, last worker, last error, and of a dead letter its source, reason,
-- attempts u32, time f64; last, where flagged, the lease's end by the caller's clock f64 and the place in its key f64.
local NO_RECEIPT = ('\0'):rep(8)

local function has(bits, one)
  return bits % (one * 2) >= one
end

local function text(value)
  return struct.pack('>I2', #value) .. value
end

-- The fields of a record that scripts use.
local function read_record(record)
  local flags, length, priority, put, at = struct.unpack('>BI4c1d', record)
  local message = { flags = flags, priority = priority, put = put, length = length, bytes = #record - length }
  if flags ~= 0 then
    if has(flags, 16) then
      message.ttl, at = struct.unpack('>d', record, at)
      message.ttl = message.ttl - put
    end
    if has(flags, 4) then message.attempts, at = struct.unpack('>I4', record, at) end
    if has(flags, 8) then message.retry1, message.retry2, at = struct.unpack('>dd', record, at) end
    if has(flags, 1) then message.id, at = struct.unpack('>I2c0', record, at) end
    if has(flags, 2) then message.unique, at = struct.unpack('>I2c0', record, at) end
    if has(flags, 64) then message.key, at = struct.unpack('>I2c0', record, at) end
  end
  message.at = at
  return message
end

-- The record of a message that changes its queue: with an id of its own, without expiry and unique key.
local function moved_record(record, message, id)
  local flags, middle = (has(message.flags, 32) and 32 or 0) + (has(message.flags, 128) and 128 or 0), ''
  if message.attempts then
    flags = flags + 4
    middle = struct.pack('>I4', message.attempts)
  end
  if message.retry1 then
    flags = flags + 8
    middle = middle .. struct.pack('>dd', message.retry1, message.retry2)
  end
  if id then
    flags = flags + 1
    middle = middle .. text(id)
  end
  if message.key then
    flags = flags + 64
    middle = middle .. text(message.key)
  end
  -- Content type, trace context and headers.
  local kind = record:sub(message.at, message.length)
  local length = 14 + #middle + #kind
  return struct.pack('>BI4c1d', flags, length, message.priority, message.put) .. middle .. kind .. record:sub(message.length + 1)
end

local function read_state(packed)
  if not packed then
    return { bits = 0, attempts = 0, looks = 0, available = 0, lease_end = 0, node = 0, receipt = NO_RECEIPT }
  end
  local state, at = {}, nil
  state.bits, state.attempts, state.looks, state.available, state.lease_end, state.node, state.receipt, at =
    struct.unpack('>BI4I4dddc8', packed)
  local bits = state.bits
  state.delivery, state.streaming = has(bits, 1), has(bits, 32)
  if has(bits, 2) then state.worker, at = struct.unpack('>I2c0', packed, at) end
  if has(bits, 4) then state.last_worker, at = struct.unpack('>I2c0', packed, at) end
  if has(bits, 8) then state.last_error, at = struct.unpack('>I2c0', packed, at) end
  if has(bits, 16) then
    state.dead = {}
    state.dead.source, state.dead.reason, state.dead.attempts, state.dead.at, at = struct.unpack('>I2c0I2c0I4d', packed, at)
  end
  if has(bits, 64) then state.callers_end, at = struct.unpack('>d', packed, at) end
  if has(bits, 128) then state.place = struct.unpack('>d', packed, at) end
  return state
end

local function pack_state(state)
  local bits, tail = 0, ''
  if state.delivery then bits = bits + 1 end
  if state.streaming then bits = bits + 32 end
  if state.worker then
    bits = bits + 2
    tail = text(state.worker)
  end
  if state.last_worker then
    bits = bits + 4
    tail = tail .. text(state.last_worker)
  end
  if state.last_error then
    bits = bits + 8
    tail = tail .. text(state.last_error)
  end
  if state.dead then
    bits = bits + 16
    tail = tail .. text(state.dead.source) .. text(state.dead.reason) .. struct.pack('>I4d', state.dead.attempts, state.dead.at)
  end
  if state.callers_end then
    bits = bits + 64
    tail = tail .. struct.pack('>d', state.callers_end)
  end
  if state.place then
    bits = bits + 128
    tail = tail .. struct.pack('>d', state.place)
  end
  return struct.pack('>BI4I4dddc8', bits, state.attempts, state.looks, state.available, state.lease_end, state.node, state.receipt) .. tail
end

-- The status of a message, which is returned with its record: member, place (r, d or l), attempt, offset, time available; then its state,
-- if any.
local function status(member, place, attempt, offset, available, state)
  return struct.pack('>c16c1I4dd', member, place, attempt, offset, available) .. (state or '')
end
