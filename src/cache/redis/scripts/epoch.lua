-- Begins every script that needs the epoch of the bus. KEYS: the epoch (a hash), the nodes (a hash: node to
-- RENEWAL:OBEYED:CONFIGURED), the events and the acknowledgements (streams, with ids GENERATION-NUMBER).

-- This process as a master: a restart and a promotion each make it another.
local function process()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  return run .. ':' .. replication
end

-- The epoch, how many events it has, and its generation. Another one begins when the data is of another process, when
-- it is no later than `floor`, or when it has lost events that a node has heard (`known`: its epoch, `heard`: how many).
local function current(floor, known, heard, nonce)
  local state = redis.call('HMGET', KEYS[1], 'process', 'generation', 'nonce', 'head')
  local generation, head = tonumber(state[2] or 0), tonumber(state[4] or 0)
  local name = (state[2] or '') .. '-' .. (state[3] or '')
  local own = process()
  local went_back = known == name and heard > head
  if state[1] == own and generation > floor and not went_back then
    return name, head, state[2]
  end
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  local begun = string.format('%.0f', math.max(now, generation + 1, floor + 1))
  -- The first half tells the process, so that of two epochs of one process the earlier one is known to be over.
  nonce = string.sub(redis.sha1hex(own), 1, 8) .. string.sub(nonce, 9)
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  redis.call('HSET', KEYS[1], 'process', own, 'generation', begun, 'nonce', nonce, 'head', 0)
  return begun .. '-' .. nonce, 0, begun
end
