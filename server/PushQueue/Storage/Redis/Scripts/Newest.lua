#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Returns the ids of the last ready messages, the last first.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, how many at most.
-- Returns: control (-1: no such queue); their ids.
if not open({}) then return { -1 } end

local reply, last = { 0 }, {}
for _, suffix in ipairs({ ':ready', ':blocked' }) do
  local page = call('ZREVRANGE', suffix, 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
  for i = 1, #page, 2 do last[#last + 1] = { member = page[i], score = tonumber(page[i + 1]) } end
end
table.sort(last, function(a, b)
  if a.score ~= b.score then return a.score > b.score end
  return a.member > b.member
end)
for i = 1, math.min(#last, tonumber(ARGV[3])) do
  local number = number_of(last[i].member)
  reply[#reply + 1] = id_of(number, read_record(call('HGET', ':messages', number)))
end
return answer(reply)
