-- Add messages: 10 arguments each. A message that was seen before is left out, whatever became of it, so the call may be
-- repeated. A message whose slot is open is absorbed: the newest content under the id that already waits.

local pushed = {} -- ids by lane
local FRESH = 3000 -- ms since the last beat of a worker that is trusted to hear its bell

-- Put a message straight into the hands of a worker that has nothing else to do: its bell says what it is, so that it
-- starts a hop sooner. Only what is sent alone and has no bounds; of several, the most urgent one must go first.
local function hand(id, lane, body, slot)
  if #ARGV > 10 or redis.call('EXISTS', NS .. lane) == 1 or redis.call('SISMEMBER', PAUSED, queue_of(lane)) == 1 then
    return false
  end
  local worker = redis.call('SRANDMEMBER', NS .. lane .. ':idle')
  local beat = worker and redis.call('ZSCORE', WORKERS, worker)
  if not beat or now - beat > FRESH or redis.call('SREM', FREE, worker) == 0 then
    return false
  end
  redis.call('SREM', NS .. lane .. ':idle', worker)
  if redis.call('PUBLISH', NS .. 'bell:' .. worker, id .. ' ' .. lane .. ' ' .. body) == 0 then
    return false
  end
  redis.call('HSET', CLAIMS .. worker, id, lane)
  redis.call('HDEL', SLOTS, slot)
  redis.call('HSET', TASK .. id, 's', 'running', 'w', worker, 'd', 1, 'b', now)
  return true
end

local function schedule(id, lane, due, status)
  if due <= now then
    if status ~= 'queued' then
      redis.call('ZREM', due_of(lane), id)
      push(id, lane)
    end
  else
    redis.call('HSET', TASK .. id, 's', 'scheduled')
    redis.call('ZADD', due_of(lane), due, id)
  end
end

local function absorb(open, lane, due, latest, full)
  if is_bulk(open.lane) and not is_bulk(lane) then
    -- What is left in the bulk lane is passed over when it is found there.
    open.lane = lane
    redis.call('HSET', TASK .. open.id, 'q', lane)
    if open.status == 'queued' then
      push(open.id, lane)
    end
  end
  if open.status ~= 'queued' then
    latest = math.min(open.latest or latest, latest)
    redis.call('HSET', TASK .. open.id, 'l', latest)
    schedule(open.id, open.lane, full and now or math.min(due, latest), open.status)
  end
end

-- Get in line, where the task is ordered, and tell whether nobody stands before it.
local function is_first(id, spec)
  local line = cjson.decode(spec).l
  if not line then
    return true
  end
  local key = LINE .. line
  local first = redis.call('LINDEX', key, 0)
  while first and redis.call('EXISTS', TASK .. first) == 0 do
    redis.call('LPOP', key)
    first = redis.call('LINDEX', key, 0)
  end
  redis.call('RPUSH', key, id)
  return not first
end

for i = 1, #ARGV, 10 do
  local id, name, lane, slot = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local after, at_most, gather = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5]), tonumber(ARGV[i + 6])
  local spec, body, task = ARGV[i + 8], ARGV[i + 9], TASK .. id
  local due, latest = now + after, now + math.max(after, at_most)

  if redis.call('EXISTS', task) == 0 then
    local open = slot ~= '' and open_slot(slot)
    local full = false
    if gather > 0 then
      local gathered = GATHERED .. (open and open.id or id)
      redis.call('SADD', gathered, ARGV[i + 7])
      full = redis.call('SCARD', gathered) >= gather
    elseif open and open.status == 'retrying' and is_bulk(lane) then
      open.busy = true -- bulk work asks again for what is being tried again: neither sooner, nor with fresh attempts
    elseif open then
      body = string.gsub(body, string.gsub(id, '%-', '%%-'), open.id)
      redis.call('HSET', messages_of(lane), open.id, body)
    end
    if open then
      merge(id, open.id)
      if not open.busy then
        absorb(open, lane, due, latest, full)
      end
    else
      local later = after > 0 and not full
      redis.call('HSET', messages_of(lane), id, body)
      redis.call('HSET', task, 's', later and 'scheduled' or 'queued', 'q', lane, 'n', name, 't', now)
      if slot ~= '' then
        redis.call('HSET', task, 'f', slot, 'l', latest, 'g', gather)
        redis.call('HSET', SLOTS, slot, id)
      end
      if string.match(lane, ':%d$') and redis.call('SADD', RANKS, lane) == 1 then
        redis.call('INCR', LAYOUT)
        ring(queue_of(lane), 1)
      end
      if spec ~= '' then
        redis.call('HSET', task, 'x', spec)
      end
      if spec ~= '' and not is_first(id, spec) then
        redis.call('HSET', task, 'v', due) -- it goes when those before it have ended
      elseif later then
        redis.call('ZADD', due_of(lane), due, id)
      elseif spec ~= '' or gather > 0 or not hand(id, lane, body, slot) then
        local ids = pushed[lane]
        if ids then
          ids[#ids + 1] = id
        else
          pushed[lane] = {id}
        end
      end
    end
    if full then
      redis.call('HDEL', SLOTS, slot)
    end
  end
end

for lane, ids in pairs(pushed) do
  redis.call('RPUSH', NS .. lane, unpack(ids))
  ring(lane, #ids)
end
