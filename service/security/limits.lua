-- A sliding window over several buckets: two counters each, the previous window weighted by what is left of it.
-- KEYS: one per bucket.  ARGV: how much is wanted, then limit and window (seconds) of each bucket.
-- Grants the same amount from every bucket, or nothing; answers {granted, seconds until it is worth trying again}.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local granted, retry_after, windows = tonumber(ARGV[1]), 0, {}

for i, key in ipairs(KEYS) do
  local limit, seconds = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local number = math.floor(now / seconds)
  local state = redis.call('HMGET', key, 'number', 'count', 'before')
  local known, count, before = tonumber(state[1]), tonumber(state[2]) or 0, tonumber(state[3]) or 0
  if known == number - 1 then
    count, before = 0, count
  elseif known ~= number then
    count, before = 0, 0
  end
  local elapsed = now - number * seconds
  local left = math.floor(limit - count - before * (1 - elapsed / seconds))
  if left < 1 then
    local wait
    if count < limit then
      wait = seconds * (1 - (limit - 1 - count) / before) - elapsed
    else
      wait = seconds - elapsed + seconds * (1 - (limit - 1) / count)
    end
    retry_after = math.max(retry_after, wait)
  end
  granted = math.max(0, math.min(granted, left))
  windows[i] = {number, count, before, seconds}
end

if granted > 0 then
  for i, key in ipairs(KEYS) do
    local number, count, before, seconds = unpack(windows[i])
    redis.call('HSET', key, 'number', number, 'count', count + granted, 'before', before)
    redis.call('EXPIRE', key, 2 * seconds)
  end
end
return {granted, math.ceil(retry_after)}
