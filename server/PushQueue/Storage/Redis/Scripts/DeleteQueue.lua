#!lua flags=allow-oom
-- uses: Codec, Queue
-- Deletes a queue with everything in it.
-- KEYS: the queue's hash.
-- ARGV: time, who asks.
-- Returns: 1 where there was one, else 0; how many messages there were, and how many bytes of them.
if redis.call('HEXISTS', KEY, 'epoch') == 0 then return { 0, 0, 0 } end
local messages, bytes = call('HLEN', ':messages'), tonumber(redis.call('HGET', KEY, 'bytes') or 0)

-- :buried stays until it expires: a buried node may still wake after a queue of this name was made anew.
redis.call('UNLINK', KEY)
for _, suffix in ipairs({ 'ready', 'delayed', 'leased', 'expiring', 'bound', 'callers', 'messages', 'states', 'ids', 'keys', 'known', 'history', 'rounds', 'turns' }) do
  redis.call('UNLINK', KEY .. ':' .. suffix)
end
redis.call('PUBLISH', BELL, text(ARGV[2]) .. 'D')
return { 1, messages, bytes }
