-- Ends a lease and keeps the value that was computed under it, where none of its generations is over meanwhile.
-- KEYS: entry, lease, generations.  ARGV: seal, token, life of the value (ms), value ('': there is none).
if redis.call('GET', KEYS[2]) == ARGV[1] .. '|' .. ARGV[2] then
  redis.call('DEL', KEYS[2])
end
if ARGV[4] == '' then
  return 0
end
local found = {}
for i = 3, #KEYS do
  found[i - 2] = redis.call('GET', KEYS[i]) or ''
end
if table.concat(found, '|') ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[3])
return 1
