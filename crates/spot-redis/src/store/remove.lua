-- Puts a marker in the place of a record, so that a process that still has it does not write it again.
--
-- KEYS: the record, and the place of a broken one. ARGV: how long the marker stays, in milliseconds.
local current = redis.call('GET', KEYS[1])
local version = current and string.match(current, '^spot%d+ (%d+) %a+\n')
local time = redis.call('TIME')
local next = math.max(time[1] * 1000000 + time[2], (tonumber(version) or 0) + 1)
redis.call('SET', KEYS[1], string.format('spot1 %.0f removed\n', next), 'PX', ARGV[1])
redis.call('DEL', KEYS[2])
return next
