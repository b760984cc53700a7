-- Renames a value that is not a record, unless it has changed.
--
-- KEYS: the value, and its new key. ARGV: the value, and how long it stays, in milliseconds.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
