-- Add up what ended, for ever and for this minute: names and numbers (figures.py).

local minute = NS .. 'ended:' .. math.floor(now / 60000)
for i = 1, #ARGV, 2 do
  redis.call('HINCRBY', NS .. '__ended__', ARGV[i], ARGV[i + 1])
  redis.call('HINCRBY', minute, ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', minute, 3 * KEPT)
