#!lua flags=allow-oom
-- uses:
-- Names the incarnation of what Redis holds: the same for as long as it is certain that nothing of it was lost. Run by EVAL.
-- KEYS: the hash that knows it.
-- ARGV: a fresh name; 1 where a server of these could lose nothing if it ended now, else 0; 1 where none of these was promoted, else 0; the
-- run ids of all servers.
-- Returns: the name.
local known = redis.call('HMGET', KEYS[1], 'name', 'lossless')
local name, is_new = known[1], false
for i = 4, #ARGV do
  if redis.call('HSET', KEYS[1], 'run:' .. ARGV[i], '1') == 1 then is_new = true end
end
if #ARGV == 4 then
  -- One server: any other that was master before may come back only behind what this one does from now on, and is another one then. The
  -- masters of a Redis Cluster are not distinguished like this: a master that cannot be reached for a moment is still the same.
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if field:sub(1, 4) == 'run:' and field ~= 'run:' .. ARGV[4] then redis.call('HDEL', KEYS[1], field) end
  end
end
if not name or (is_new and (known[2] ~= '1' or ARGV[3] ~= '1')) then name = ARGV[1] end
redis.call('HSET', KEYS[1], 'name', name, 'lossless', ARGV[2])
return name
