-- Replaces a record with a removal marker. A process that still has the record then does not write
-- the record again.
--
-- KEYS: 1 the record
--       2 the key to which a broken value was moved
-- ARGV: 1 how long the marker is kept, in milliseconds
local current = redis.call('GET', KEYS[1])
local version = current and string.match(current, '^spot%d+ (%d+) %a+\n')
local time = redis.call('TIME')
local next = math.max(time[1] * 1000000 + time[2], (tonumber(version) or 0) + 1)
redis.call('SET', KEYS[1], string.format('spot1 %.0f removed\n', next), 'PX', ARGV[1])
redis.call('DEL', KEYS[2])
return next
