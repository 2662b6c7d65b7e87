#!lua flags=allow-oom
-- uses:
-- Notes the totals of all queues, as it was counted. A script, because a Redis that is full refuses the plain command.
-- KEYS: the totals of all queues.
-- ARGV: queues, messages, bytes.
-- Returns: nothing.
redis.call('HSET', KEYS[1], 'queues', ARGV[1], 'messages', ARGV[2], 'bytes', ARGV[3])
