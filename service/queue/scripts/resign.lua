-- Let another lead the timetable: token.

if redis.call('GET', NS .. '__leader__') == ARGV[1] then
  redis.call('DEL', NS .. '__leader__')
end
