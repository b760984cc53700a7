-- Moves a value that is not a record to another key, unless the value has changed.
--
-- KEYS: 1 the current key of the value
--       2 the new key of the value
-- ARGV: 1 the expected value
--       2 how long the moved value is kept, in milliseconds
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
