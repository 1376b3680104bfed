"""Speaks with the service of server.py through the gateway: URL TOKEN [CERTIFICATE]. Ends with 0 when all went well."""

import asyncio
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

url, token = sys.argv[1:3]
tls = ssl.create_default_context(cafile=sys.argv[3]) if len(sys.argv) > 3 else None
bearer = {"Authorization": "Bearer " + token}


async def refused(headers):
    try:
        async with connect(url, additional_headers=headers, ssl=tls):
            raise AssertionError("it was let in")
    except InvalidStatus as error:
        return error.response


async def main():
    async with connect(url, additional_headers=bearer, ssl=tls, max_size=64 << 20) as socket:
        assert await socket.recv() == "consumer shop"
        for message in ("hello", b"\x00\x01", "ä" * 100_000, b"a" * (16 << 20)):
            await socket.send(message)
            assert await socket.recv() == message
        await (await socket.ping())
        await socket.send("leave")
        try:
            await socket.recv()
            raise AssertionError("the service has not closed")
        except ConnectionClosedError as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4001, "as you wish"), closed
    # Many at once, each with its own answers.
    async def one(number):
        async with connect(url, additional_headers=bearer, ssl=tls) as socket:
            await socket.recv()
            for message in (f"{number} {nth}" for nth in range(20)):
                await socket.send(message)
                assert await socket.recv() == message

    await asyncio.gather(*(one(number) for number in range(50)))
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = await refused(headers)
        assert answer.status_code == 401 and "WWW-Authenticate" in answer.headers, answer


asyncio.run(main())
