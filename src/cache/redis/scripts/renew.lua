-- A node says that it is there. ARGV: floor, the epoch it goes by and how many events it has heard, a nonce, the node,
-- the epoch and number of the last event that all of it has obeyed, the last one whose configuration it goes by, then
-- the epoch in which nodes have gone silent, and these, each with its last renewal there.
local epoch, head = current(tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4])
for at = 10, ARGV[9] == epoch and #ARGV or 0, 2 do
  local line = redis.call('HGET', KEYS[2], ARGV[at])
  if line and string.match(line, '^%d+') == ARGV[at + 1] then
    redis.call('HDEL', KEYS[2], ARGV[at])
  end
end
local renewal = redis.call('HINCRBY', KEYS[1], 'renewals', 1)
local obeyed = ARGV[6] == epoch and ARGV[7] .. ':' .. ARGV[8] or '0:0'
redis.call('HSET', KEYS[2], ARGV[5], renewal .. ':' .. obeyed)
return { epoch, head, redis.call('HGETALL', KEYS[2]) }
