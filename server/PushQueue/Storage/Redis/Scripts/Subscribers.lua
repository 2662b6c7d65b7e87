#!lua flags=allow-oom
-- uses: Codec, Queue, Feeds
-- Finds the subscribers of a queue, which need not exist.
-- KEYS: the queue's hash.
-- ARGV: time, the caller.
-- Returns: 0; their names.
local reply = { 0 }
for entry in each(find_subscribers(NAME), '\28') do reply[#reply + 1] = entry:match('^[^\29]*') end
return reply
