-- Part: the counts of keys (Part.Keys.lua) for the plain cases of scripts, where keys take no turns.
-- The key in a record without id, unique key and time to live.
local function plain_key(record, flags)
  return (struct.unpack('>I2c0', record, 15 + (flags % 8 > 3 and 4 or 0) + (flags % 16 > 7 and 16 or 0)))
end

-- Reads the counts of the named keys. Returns them by name, the limit of each key, and a function that writes them.
local function plain_counts(names)
  local call, key = redis.call, KEYS[1]
  local limit = tonumber(call('HGET', key, 'keylimit') or DEFAULT_KEY_IN_FLIGHT)
  if limit == 0 then limit = math.huge end
  local counts = {}
  for from = 1, #names, 1000 do
    local found = call('HMGET', key .. ':keyed', unpack(names, from, math.min(from + 999, #names)))
    for i = 1, #found do
      local count = { was_blocked = 0, exposed = 0, leased = 0, returning = 0, blocked = 0, delayed = 0, is_new = not found[i] }
      if found[i] then
        count.was_blocked, count.exposed, count.leased, count.returning, count.blocked, count.delayed =
          struct.unpack('>BI4I4I4I4I4', found[i])
      end
      counts[names[from + i - 1]] = count
    end
  end

  local function write()
    local blocked = 0
    for from = 1, #names, 500 do
      local set, named, gone = {}, {}, {}
      for i = from, math.min(from + 499, #names) do
        local name = names[i]
        local count = counts[name]
        local is_blocked = count.blocked > 0 and count.exposed == 0 and limit - count.leased - count.returning <= 0 and 1 or 0
        blocked = blocked + is_blocked - count.was_blocked
        if count.exposed + count.leased + count.blocked + count.delayed > 0 then
          set[#set + 1] = name
          set[#set + 1] =
            struct.pack('>BI4I4I4I4I4', is_blocked, count.exposed, count.leased, count.returning, count.blocked, count.delayed)
          if count.is_new then
            named[#named + 1] = '0'
            named[#named + 1] = name
          end
        elseif not count.is_new then
          gone[#gone + 1] = name
        end
      end
      if #set > 0 then call('HSET', key .. ':keyed', unpack(set)) end
      if #named > 0 then call('ZADD', key .. ':keynames', unpack(named)) end
      if #gone > 0 then
        call('HDEL', key .. ':keyed', unpack(gone))
        call('ZREM', key .. ':keynames', unpack(gone))
      end
    end
    if blocked ~= 0 then call('HINCRBY', key, 'keysblocked', string.format('%d', blocked)) end
  end

  return counts, limit, write
end
