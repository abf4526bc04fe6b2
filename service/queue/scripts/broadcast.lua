-- Tell other programs what the log has grown by: the position that it was told up to, the new one, how many events the
-- stream keeps, up to where the channels stay silent ('' to leave that as it is), then position, name and event of each.
-- Returns the position that it is told up to now; where somebody else was faster, nothing is told.

local at = redis.call('GET', EVENTS .. 'position') or ''
if at ~= ARGV[1] then
  return at
end
if ARGV[4] ~= '' then
  redis.call('SET', EVENTS .. 'silent', ARGV[4])
end
local silent = tonumber(redis.call('GET', EVENTS .. 'silent') or '0')
for i = 5, #ARGV, 3 do
  redis.call('XADD', EVENTS .. 'stream', 'MAXLEN', '~', ARGV[3], '*', 'name', ARGV[i + 1], 'event', ARGV[i + 2])
  if tonumber(ARGV[i]) > silent then
    redis.call('PUBLISH', EVENTS .. ARGV[i + 1], ARGV[i + 2])
  end
end
redis.call('SET', EVENTS .. 'position', ARGV[2])
return ARGV[2]
