-- Tells every node. ARGV: a nonce, how many events are kept, then the events.
local epoch, head, generation = current(0, '', 0, ARGV[1])
for at = 3, #ARGV do
  head = head + 1
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], generation .. '-' .. string.format('%.0f', head),
    'e', ARGV[at], 'o', epoch)
end
redis.call('HSET', KEYS[1], 'head', string.format('%.0f', head))
return { epoch, head, redis.call('HGETALL', KEYS[2]) }
