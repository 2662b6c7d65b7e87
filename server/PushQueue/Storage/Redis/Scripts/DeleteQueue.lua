#!lua flags=allow-oom
-- uses: Codec, Queue, Feeds
-- Deletes a queue with everything in it.
-- KEYS: the queue's hash.
-- ARGV: time, the caller, 1 to delete it only where it has been unused for as long as its setting says.
-- Returns: 1 where there was one, else 0; how many messages there were, and how many bytes of them.
if not load({}) or (ARGV[3] == '1' and unused_at() > NOW) then return { 0, 0, 0 } end
local messages, bytes = call('HLEN', ':messages'), tonumber(redis.call('HGET', KEY, 'bytes') or 0)
register(redis.call('HGET', KEY, 'subs') or '', '', 0)

-- :buried stays until it expires: a node that was declared dead may still wake after a queue of this name was made again.
redis.call('UNLINK', KEY)
local SUFFIXES = {
  'ready', 'delayed', 'leased', 'expiring', 'bound', 'callers', 'messages', 'states', 'ids', 'keys', 'known', 'history', 'latest', 'rounds',
  'turns', 'blocked', 'line', 'keyed', 'keynames', 'turn', 'earlier', 'earlynums',
}
for _, suffix in ipairs(SUFFIXES) do
  redis.call('UNLINK', KEY .. ':' .. suffix)
end
notify('Deleted')
publish()
return { 1, messages, bytes }
