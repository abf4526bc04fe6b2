-- Claim messages for a worker, the most urgent lanes first. Repeating a turn returns what it returned.
--
-- ARGV: worker, turn, room of one class, reserve; running urgent, normal, background, suspect; which classes the worker
-- waits for (u, n, b); which layout it knows; then the lanes in order, each with its class.
-- Each class may fill `room`; two of them together `room + reserve`, all three `room + 2 reserve`: none shuts another out.

local worker, turn, room, reserve = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local running = {u = tonumber(ARGV[5]), n = tonumber(ARGV[6]), b = tonumber(ARGV[7])}
local suspects = tonumber(ARGV[8])
local waited_for, layout = ARGV[9], ARGV[10]
local taken, ids, claims = {}, {}, {}

local function deliver(id, lane, body, deliveries, gathers, spec)
  local keys = gathers and gathers ~= '0' and redis.call('SMEMBERS', GATHERED .. id)
  taken[#taken + 1] = {id, lane, body, deliveries, spec and 1 or 0, keys}
end

-- Whether the bounds of a message let it start now; else it is parked until another has ended, or scheduled for its time.
local function admit(id, lane, spec)
  local bounds, at = cjson.decode(spec).b, now
  for _, bound in ipairs(bounds) do
    local name, most, span = unpack(bound)
    if span == 0 and redis.call('SCARD', HELD .. name) >= most then
      redis.call('RPUSH', PARKED .. name, id)
      return false
    end
  end
  if not redis.call('HGET', TASK .. id, 'y') then
    for _, bound in ipairs(bounds) do
      local name, most, span = unpack(bound)
      local last = span > 0 and redis.call('ZRANGE', RATE .. name, -most, -most, 'WITHSCORES')[2]
      at = math.max(at, last and tonumber(last) + span or at)
    end
    for _, bound in ipairs(bounds) do
      local name, most, span = unpack(bound)
      if span > 0 then
        redis.call('ZADD', RATE .. name, at, id .. at)
        redis.call('ZREMRANGEBYRANK', RATE .. name, 0, -most - 1)
        redis.call('PEXPIRE', RATE .. name, at - now + span)
      end
    end
    if at > now then
      redis.call('HSET', TASK .. id, 'y', 1)
      redis.call('ZADD', due_of(lane), at, id)
      return false
    end
  end
  redis.call('HDEL', TASK .. id, 'y')
  for _, bound in ipairs(bounds) do
    if bound[3] == 0 then
      redis.call('SADD', HELD .. bound[1], id)
    end
  end
  return true
end

local last = redis.call('GET', TURN .. worker)
local last_turn = last and tonumber(string.match(last, '^%d+')) or 0
if turn < last_turn then
  return {0, '', {}} -- a call that was given up, found in the socket after a later one
end
if turn == last_turn then
  for id in string.gmatch(last, ' (%S+)') do
    local lane = redis.call('HGET', CLAIMS .. worker, id)
    local body = lane and redis.call('HGET', messages_of(lane), id)
    if body then
      local state = redis.call('HMGET', TASK .. id, 'd', 'g', 'x')
      deliver(id, lane, body, tonumber(state[1]), state[2], state[3])
    end
  end
  return {1, '', taken}
end

if layout ~= (redis.call('GET', LAYOUT) or '0') then
  return {-1, waited_for, {}}
end

local function room_for(class)
  local u, n, b = running.u, running.n, running.b
  local all = u + n + b
  local other = class == 'u' and math.max(n, b) or class == 'n' and math.max(u, b) or math.max(u, n)
  return math.min(room - running[class], room + reserve - running[class] - other, room + 2 * reserve - all)
end

local function claim(id, lane, body)
  local state = redis.call('HMGET', TASK .. id, 's', 'q', 'd', 'f', 'g', 'x')
  if not body or state[1] and (state[1] ~= 'queued' or state[2] ~= lane) then
    return false -- it moved to another lane, or was pushed twice by a stock producer
  end
  if state[6] and not admit(id, lane, state[6]) then
    return false
  end
  local deliveries = (tonumber(state[3]) or 0) + 1
  redis.call('HSET', TASK .. id, 's', 'running', 'w', worker, 'd', deliveries, 'b', now)
  if not state[2] then -- a stock producer's
    redis.call('HSET', TASK .. id, 'q', lane, 'n', string.match(body, '"actor_name": ?"([^"]*)"') or '?', 't', now)
  end
  if state[4] and redis.call('HGET', SLOTS, state[4]) == id then
    redis.call('HDEL', SLOTS, state[4])
  end
  deliver(id, lane, body, deliveries, state[5], state[6])
  ids[#ids + 1] = id
  claims[#claims + 1] = id
  claims[#claims + 1] = lane
  return true
end

local peers = math.max(redis.call('ZCARD', WORKERS), 1)
local MORE, SHARED = 1, 2 -- there may be more to take; others should have their chance first
local half = math.min(math.ceil(room / 2), 32)
local left, empty = 0, {}
for i = 11, #ARGV, 2 do
  local lane, class = ARGV[i], ARGV[i + 1]
  local suspect = class == 's'
  local most
  if suspect then
    class = 'n'
    most = math.min(1 - suspects, room_for(class))
  else
    most = room_for(class)
  end
  local length = most > 0 and redis.call('LLEN', NS .. lane) or 0
  if length > 0 then
    -- Half of the room at a time, and no more than some, so that those run while the others are fetched; and no more than
    -- this worker's share, so that an idle one finds something. The rest comes with the next turn.
    local fair = math.ceil(length / peers)
    local share = math.min(most, half, fair)
    local found = redis.call('LPOP', NS .. lane, share)
    local bodies = redis.call('HMGET', messages_of(lane), unpack(found))
    for n, id in ipairs(found) do
      if claim(id, lane, bodies[n]) then
        running[class] = running[class] + 1
        suspects = suspects + (suspect and 1 or 0)
      end
    end
    left = math.max(left, share < length and share == fair and SHARED or MORE)
  elseif most > 0 and not suspect then
    empty[#empty + 1] = i
  end
end

if #ids > 0 then
  redis.call('HSET', CLAIMS .. worker, unpack(claims))
  redis.call('SET', TURN .. worker, turn .. ' ' .. table.concat(ids, ' '))
  redis.call('ZADD', WORKERS, 'NX', now, worker)
  redis.call('SREM', FREE, worker)
end

-- A worker waits for a lane after a turn that found nothing at all, which a busy one never has; and no more once it has
-- no room for what would come.
local classes = {}
for class in string.gmatch(waited_for, '.') do
  classes[class] = room_for(class) > 0
end
for i = 11, #ARGV, 2 do
  if classes[ARGV[i + 1]] == false then
    redis.call('SREM', NS .. ARGV[i] .. ':idle', worker)
  end
end
if left == 0 then
  for _, i in ipairs(empty) do
    redis.call('SADD', NS .. ARGV[i] .. ':idle', worker)
    classes[ARGV[i + 1]] = true
  end
  if redis.call('HLEN', CLAIMS .. worker) == 0 then
    redis.call('SADD', FREE, worker)
  end
end
return {left, (classes.u and 'u' or '') .. (classes.n and 'n' or '') .. (classes.b and 'b' or ''), taken}
