-- Returns whether the caller may compute a value, and the seal: the generations it is computed under.
-- KEYS: lease, generations.  ARGV: a random token, life of a lease (ms), life of a generation (s).
-- A generation that is missing begins anew with the token: none ever comes back, whatever was evicted or deleted.
local found = {}
for i = 2, #KEYS do
  local held = redis.call('GETEX', KEYS[i], 'EX', ARGV[3])
  if not held then
    held = ARGV[1]
    redis.call('SET', KEYS[i], held, 'EX', ARGV[3])
  end
  found[i - 1] = held
end
local seal = table.concat(found, '|')
local lease = redis.call('GET', KEYS[1])
if lease and string.sub(lease, 1, #seal + 1) == seal .. '|' then
  return {0, seal}
end
redis.call('SET', KEYS[1], seal .. '|' .. ARGV[1], 'PX', ARGV[2])
return {1, seal}
