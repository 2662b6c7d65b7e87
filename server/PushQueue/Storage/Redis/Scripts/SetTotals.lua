#!lua flags=allow-oom
-- uses:
-- Notes what all queues hold together, as it was counted. A script, because a Redis that is full refuses the plain command.
-- KEYS: what all queues hold together.
-- ARGV: queues, messages, bytes.
-- Returns: nothing.
redis.call('HSET', KEYS[1], 'queues', ARGV[1], 'messages', ARGV[2], 'bytes', ARGV[3])
