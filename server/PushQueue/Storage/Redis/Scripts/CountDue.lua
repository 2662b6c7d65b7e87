#!lua flags=allow-oom
-- uses: Codec, Queue, Keys, Advance
-- Counts the messages, ready or delayed, that are due by the caller's clock.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, the caller's time.
-- Returns: control (-1: no such queue); how many.
if not open({}) then return { -1, 0 } end

local due_by = tonumber(ARGV[3])
local due = call('ZCOUNT', ':delayed', '-inf', due_by)
for _, suffix in ipairs({ ':ready', ':blocked' }) do
  for band = 0, call('EXISTS', suffix) * 10 - 1 do
    due = due + call('ZCOUNT', suffix, band * BAND, band * BAND + due_by)
  end
end
return answer({ 0, due })
