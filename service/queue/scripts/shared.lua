-- Stands before every other script: the names of the keys, the clock, and how a message gets into a place.
--
--   dramatiq:<lane>             list    ids that wait; a lane is <queue>, <queue>:<priority> where it is not the queue's,
--                                       <queue>:bulk or <queue>:suspect
--   dramatiq:<queue>.msgs       hash    id -> message, as stock Dramatiq keeps it
--   dramatiq:<queue>:due        zset    id -> when it is due, ms
--   dramatiq:<lane>:idle        set     workers that have room and found the lane empty
--   dramatiq:__free__           set     workers that have nothing in hand and found nothing
--   dramatiq:task:<id>          hash    one task, kept for an hour after its end. s: status, q: lane, n: name, f: its slot,
--                                       l: latest start, g: keys that it gathers at most, d: deliveries since the last outcome,
--                                       w: worker, a: attempts that failed, e: last error, r: result,
--                                       t, b, z: queued, begun, done (ms), into: the message that absorbed this one,
--                                       x: its bounds, y: its rates let it start when it is due, v: due once it is its turn,
--                                       p: progress, c: somebody wants it cancelled
--   dramatiq:__slots__          hash    <task>/<key> -> id of the waiting message that absorbs
--   dramatiq:gathered:<id>      set     keys that one message has gathered
--   dramatiq:held:<bound>       set     ids that run under a bound of so many at a time
--   dramatiq:parked:<bound>     list    ids that wait until one of those has ended
--   dramatiq:rate:<bound>       zset    the last starts that a bound of so many in a time has granted, ms
--   dramatiq:line:<task>/<key>  list    ids of an ordered task; the first one is queued, scheduled or running
--   dramatiq:recent:<status>    list    ids of the last thousand that ended so, the newest first
--   dramatiq:ended:<n>          hash    what ended in the n-th minute since 1970, kept for three hours (figures.py)
--   dramatiq:__layout__         string  counts changes of the next two, which workers keep in mind
--   dramatiq:__ranks__          set     lanes of priorities that are not their queue's
--   dramatiq:__paused__         set     queues from which nothing is taken
--   dramatiq:claims:<worker>    hash    id -> lane of what the worker has in hand
--   dramatiq:cancels:<worker>   set     ids of what the worker is to cancel
--   dramatiq:turn:<worker>      string  its last turn that took something: number and ids
--   dramatiq:__workers__        zset    worker -> last beat, ms
--   dramatiq:__profiles__       hash    worker -> what it says about itself
--   dramatiq:__lost__           zset    the last workers that were reaped -> when, ms
--   dramatiq:__ended__          hash    what ended since Redis was emptied last, over all processes (figures.py)
--   pharos_events:stream        stream  events for other programs, bounded; name, event: JSON
--   pharos_events:position      string  of the log: how far it was told; pharos_events:silent: up to where only to the stream

local NS = 'dramatiq:'
local TASK, CLAIMS, TURN, GATHERED = NS .. 'task:', NS .. 'claims:', NS .. 'turn:', NS .. 'gathered:'
local HELD, PARKED, RATE, LINE = NS .. 'held:', NS .. 'parked:', NS .. 'rate:', NS .. 'line:'
local CANCELS, RECENT = NS .. 'cancels:', NS .. 'recent:'
local LAYOUT, RANKS, PAUSED = NS .. '__layout__', NS .. '__ranks__', NS .. '__paused__'
local FREE = NS .. '__free__'
local SLOTS, WORKERS, PROFILES = NS .. '__slots__', NS .. '__workers__', NS .. '__profiles__'
local LOST = NS .. '__lost__'
local EVENTS = 'pharos_events:'
local KEPT = 3600000
local WAITING = {scheduled = true, queued = true, retrying = true}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function queue_of(lane)
  return string.match(lane, '^[^:]+')
end

local function messages_of(lane)
  return NS .. queue_of(lane) .. '.msgs'
end

local function due_of(lane)
  return NS .. queue_of(lane) .. ':due'
end

-- Wake workers that wait for this lane, `count` at most; one that is gone has no subscription.
local function ring(lane, count)
  while count > 0 do
    local worker = redis.call('SPOP', NS .. lane .. ':idle')
    if not worker then
      return
    end
    if redis.call('PUBLISH', NS .. 'bell:' .. worker, '') > 0 then
      count = count - 1
    end
  end
end

local function push(id, lane, front)
  redis.call('HSET', TASK .. id, 's', 'queued', 'q', lane)
  redis.call(front and 'LPUSH' or 'RPUSH', NS .. lane, id)
  ring(lane, 1)
end

-- The message that absorbs what is sent for this slot, while it waits.
local function open_slot(slot)
  local id = redis.call('HGET', SLOTS, slot)
  if id then
    local state = redis.call('HMGET', TASK .. id, 's', 'q', 'l')
    if WAITING[state[1]] and redis.call('HEXISTS', messages_of(state[2]), id) == 1 then
      return {id = id, status = state[1], lane = state[2], latest = tonumber(state[3])}
    end
  end
end

local function merge(id, into)
  redis.call('HSET', TASK .. id, 'into', into)
  redis.call('PEXPIRE', TASK .. id, KEPT)
end

-- Give a slot back to a message that returns to waiting; false when a newer message of the slot does its work.
local function reopen(id, slot, lane)
  if not slot then
    return true
  end
  local open = open_slot(slot)
  if open and open.id ~= id then
    redis.call('HDEL', messages_of(lane), id)
    merge(id, open.id)
    return false
  end
  redis.call('HSET', SLOTS, slot, id)
  return true
end

local function is_bulk(lane)
  return string.match(lane, ':bulk$') ~= nil
end

-- Whether a message still waits, in whatever place; else its id was left behind.
local function waits(id)
  local state = redis.call('HMGET', TASK .. id, 's', 'q')
  return WAITING[state[1]] and redis.call('HEXISTS', messages_of(state[2]), id) == 1, state[2]
end

-- Make place for another where a message does not run any more.
local function free(id, spec)
  for _, bound in ipairs(cjson.decode(spec).b) do
    if bound[3] == 0 and redis.call('SREM', HELD .. bound[1], id) == 1 then
      local next = redis.call('LPOP', PARKED .. bound[1])
      while next do
        local there, lane = waits(next)
        if there then
          push(next, lane, true)
          break
        end
        next = redis.call('LPOP', PARKED .. bound[1])
      end
    end
  end
end

-- Let the next of its line go, where an ordered message has ended.
local function advance(id, spec)
  local line = cjson.decode(spec).l
  if not line then
    return
  end
  local key = LINE .. line
  local was_first = redis.call('LINDEX', key, 0) == id
  redis.call('LREM', key, 1, id)
  while was_first do
    local next = redis.call('LINDEX', key, 0)
    if not next then
      return
    end
    local there, lane = waits(next)
    if there then
      local due = tonumber(redis.call('HGET', TASK .. next, 'v')) or now
      if due > now then
        redis.call('ZADD', due_of(lane), due, next)
      else
        push(next, lane)
      end
      return
    end
    redis.call('LPOP', key)
  end
end

-- Remember what has ended last.
local function remember(status, ids)
  local first = math.max(#ids - 999, 1)
  redis.call('LPUSH', RECENT .. status, unpack(ids, first))
  redis.call('LTRIM', RECENT .. status, 0, 999)
end

-- End a task that somebody cancelled; where its id stands in a list, it is passed over.
local function end_cancelled(id, lane)
  local state = redis.call('HMGET', TASK .. id, 'f', 'x')
  redis.call('HDEL', messages_of(lane), id)
  redis.call('ZREM', due_of(lane), id)
  redis.call('UNLINK', GATHERED .. id)
  if state[1] and redis.call('HGET', SLOTS, state[1]) == id then
    redis.call('HDEL', SLOTS, state[1])
  end
  redis.call('HSET', TASK .. id, 's', 'cancelled', 'z', now)
  remember('cancelled', {id})
  if state[2] then
    free(id, state[2])
    advance(id, state[2])
  end
  redis.call('PEXPIRE', TASK .. id, KEPT)
end

-- Whether a task that would return to waiting was cancelled; then it has ended.
local function was_cancelled(id, lane)
  local wanted = redis.call('HEXISTS', TASK .. id, 'c') == 1
  if wanted then
    end_cancelled(id, lane)
  end
  return wanted
end

-- Put what a worker had in hand back to the front. After two lost deliveries a message is a suspect: it may be what
-- kills its worker, so suspects travel alone (one per worker), and neighbours are not counted out with it.
local function requeue(id, lane)
  local messages = messages_of(lane)
  if redis.call('HEXISTS', messages, id) == 0 then
    return 0
  end
  local state = redis.call('HMGET', TASK .. id, 'f', 'g', 'd', 'x')
  if state[4] then
    free(id, state[4])
  end
  if was_cancelled(id, lane) or not reopen(id, state[2] == '0' and state[1], lane) then
    return 0
  end
  if (tonumber(state[3]) or 0) >= 2 then
    lane = queue_of(lane) .. ':suspect'
  end
  redis.call('HDEL', TASK .. id, 'w')
  push(id, lane, true)
  return 1
end
