"""A WebSocket service that sends back what it gets. Prints the port it listens on."""

import asyncio

from websockets.asyncio.server import serve


async def echo(socket):
    await socket.send("consumer " + socket.request.headers.get("X-Consumer-Username", "none"))
    async for message in socket:
        if message == "leave":
            await socket.close(4001, "as you wish")
        else:
            await socket.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 0, max_size=64 << 20) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
