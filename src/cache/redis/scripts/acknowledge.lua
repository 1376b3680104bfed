-- A node has obeyed. ARGV: the node, the epoch, the number of the event, the last one whose configuration it goes by,
-- how many acknowledgements are kept.
local state = redis.call('HMGET', KEYS[1], 'generation', 'nonce')
if not state[1] or state[1] .. '-' .. state[2] ~= ARGV[2] then
  return 0
end
local number = redis.call('HINCRBY', KEYS[1], 'acknowledgements', 1)
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], state[1] .. '-' .. number,
  'n', ARGV[1], 's', ARGV[3], 'c', ARGV[4], 'e', ARGV[2])
return 1
