#!lua flags=allow-oom
-- uses:
-- Stores the totals of all queues, as they were counted. It is a script because a full Redis refuses the plain command.
-- KEYS: the totals of all queues.
-- ARGV: queues, messages, bytes.
-- Returns: nothing.
redis.call('HSET', KEYS[1], 'queues', ARGV[1], 'messages', ARGV[2], 'bytes', ARGV[3])
