-- Part: the plain case of a put, before all other parts, because making their functions costs Redis several times what the commands cost
-- (docs/BENCHMARKS.md). It ends the script if every message is plain (no id, unique key, key, limits of its own, time to live or delay) and
-- the queue exists, has nothing due, no maximum, no turns of keys and no subscriber. Otherwise it changes nothing, and the rest of the
-- script does the work; both leave the same data, which a test compares.
do
  local function plain_put()
    local call, key, now, format = redis.call, KEYS[1], tonumber(ARGV[1]), string.format
    local epoch, due, listed, expires, used, filtered, seq, available, idmax, bytes, put, max_messages, max_bytes, fair, fed, fed_at =
      unpack(call('HMGET', key, 'epoch', 'due', 'listed', 'expires', 'used', 'filtered', 'seq', 'available', 'idmax', 'bytes', 'put',
        'maxmsgs', 'maxbytes', 'fair', 'fed', 'fedat'))
    if not epoch or max_messages or max_bytes or fair == '1' or (due and tonumber(due) <= now) then return nil end
    seq, available = tonumber(seq or 0), tonumber(available or 0)
    if idmax and tonumber(idmax) > seq then return nil end
    local version = call('HGET', SUBSCRIPTIONS or key:match('^(.-{[^}]*})') .. ':subscriptions', '')
    if version and (version ~= fed_at or fed ~= '') then return nil end

    if available < now then available = now end
    local reply, records, ready, scores, added = { 0, 0 }, {}, {}, {}, 0
    local byte, sub, unpack_struct, n = string.byte, string.sub, struct.unpack, 0
    for i = 4, #ARGV, 2 do
      local record = ARGV[i]
      local flags = byte(record)
      -- Bits 32 and 128: a trace context and headers, which a put only stores.
      if (flags ~= 0 and flags ~= 128 and flags ~= 32 and flags ~= 160) or ARGV[i + 1] ~= '0' then return nil end
      local priority = sub(record, 6, 6)
      local score = scores[priority]
      if not score then
        score = format('%d', (57 - byte(priority)) * 4398046511104 + available)
        scores[priority] = score
      end
      seq = seq + 1
      reply[n / 2 + 3] = seq
      local number = format('%015d', seq)
      records[n + 1], records[n + 2] = number, record
      ready[n + 1], ready[n + 2] = score, number .. priority
      n = n + 2
      added = added + #record - unpack_struct('>I4', record, 2)
    end

    local is_notified = (filtered and tonumber(filtered) > now) or call('EXISTS', key .. ':ready') == 0
    for from = 1, n, 1000 do
      local to = math.min(from + 999, n)
      call('HSET', key .. ':messages', unpack(records, from, to))
      call('ZADD', key .. ':ready', unpack(ready, from, to))
    end
    local changes = { 'seq', format('%d', seq), 'available', format('%d', available), 'bytes', format('%d', (bytes or 0) + added),
      'put', format('%d', (put or 0) + n / 2) }
    if expires and tonumber(expires) > 0 and tonumber(used or 0) < now then changes[9], changes[10] = 'used', format('%d', now) end
    call('HSET', key, unpack(changes))
    if is_notified then call('PUBLISH', CHANNEL, struct.pack('>I2c0', #ARGV[2], ARGV[2]) .. READY) end
    reply[1] = format('%d %d %d', listed and 0 or 1, n / 2, added)
    return reply
  end

  local reply = #ARGV > 3 and plain_put()
  if reply then return reply end
end
