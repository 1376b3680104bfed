-- What is held of an epoch. ARGV: the epoch.
local state = redis.call('HMGET', KEYS[1], 'generation', 'nonce', 'head')
if not state[1] or state[1] .. '-' .. state[2] ~= ARGV[1] then
  return false
end
return { tonumber(state[3]), redis.call('XRANGE', KEYS[3], '-', '+') }
