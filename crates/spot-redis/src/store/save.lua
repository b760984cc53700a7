-- Writes a record if the current one has the expected version. Running it twice does no harm.
--
-- KEYS: the record. ARGV: the expected version, empty for none; the kind and the payload of the new
-- record; the end of the consent in milliseconds since 1970, empty if it is not known; how long a
-- record stays after that, and the assumed duration of a consent, in milliseconds.
--
-- Returns the new version. nil is a conflict, 0 a record of a newer format, a string a value that is
-- not a record.
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
-- If there is not even the marker of a removal, the server has lost its data: whoever has a record
-- writes it again.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Versions grow with the clock, so that one that was removed or lost does not come again.
local next = math.max(
  time[1] * 1000000 + time[2], (tonumber(version) or 0) + 1, (tonumber(ARGV[1]) or 0) + 1)
-- Between zero and twice the duration of a consent, whatever the clocks of the machines say.
local left = math.min(math.max((tonumber(ARGV[4]) or now + ARGV[6]) - now, 0), 2 * ARGV[6])
redis.call(
  'SET', KEYS[1], string.format('spot1 %.0f %s\n', next, ARGV[2]) .. ARGV[3],
  'PX', string.format('%.0f', left + ARGV[5]))
return next
