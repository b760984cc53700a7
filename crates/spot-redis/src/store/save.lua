-- Writes a record if the current record has the expected version. If the script runs twice, the
-- second run changes nothing.
--
-- KEYS: 1 the record
-- ARGV: 1 the expected version; empty if no record is expected
--       2 the kind of the new record
--       3 the payload of the new record
--       4 the end of the consent in milliseconds since 1970; empty if the end is unknown
--       5 how long a record is kept after the end of the consent, in milliseconds
--       6 the assumed duration of a consent, in milliseconds
--
-- Returns the new version. Returns nil for a conflict, and 0 if the record has a newer format. If
-- the value is not a record, returns the value.
local current = redis.call('GET', KEYS[1])
local version, kind, payload
if current then
  local format
  format, version, kind, payload = string.match(current, '^spot(%d+) (%d+) (%a+)\n(.*)$')
  if not format then return current end
  if format ~= '1' then return 0 end
  if kind == ARGV[2] and payload == ARGV[3] then return tonumber(version) end
  local there = kind ~= 'removed' and version or ''
  if there ~= ARGV[1] then return false end
end
-- Without a record and without a removal marker, the server has lost its data. Any process that has
-- the record may then write it again.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Versions grow with the clock, so the version of a removed or lost record is not used again.
local next = math.max(
  time[1] * 1000000 + time[2], (tonumber(version) or 0) + 1, (tonumber(ARGV[1]) or 0) + 1)
-- If the clocks of the machines differ, the remaining time is still between zero and twice the
-- duration of a consent.
local left = math.min(math.max((tonumber(ARGV[4]) or now + ARGV[6]) - now, 0), 2 * ARGV[6])
redis.call(
  'SET', KEYS[1], string.format('spot1 %.0f %s\n', next, ARGV[2]) .. ARGV[3],
  'PX', string.format('%.0f', left + ARGV[5]))
return next
