-- Lead the timetable, or go on leading: token, lease (ms). Returns nothing while another leads; else the time, whether
-- Redis was emptied, and the last slots that were sent.

local leader = NS .. '__leader__'
local token = redis.call('GET', leader)
if token and token ~= ARGV[1] then
  return false
end
redis.call('SET', leader, ARGV[1], 'PX', ARGV[2])
redis.call('SET', NS .. '__timetable__', now)
return {now, 1 - redis.call('EXISTS', NS .. '__epoch__'), redis.call('HGETALL', NS .. '__sent__')}
