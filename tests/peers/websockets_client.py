"""Sends messages of every kind to an echo server with Python's websockets: websockets_client.py ws://HOST:PORT/echo."""

import asyncio
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory as Deflate

MESSAGES = ["Hello", "Hello", "", "größer 文字" * 100, b"\0" * 70_000, "x" * 200_000, b"abc"]


async def converse(url, extensions):
    async with websockets.connect(url, extensions=extensions, compression=None, max_size=None) as peer:
        for message in MESSAGES:
            await peer.send(message)
            assert await peer.recv() == message
        await peer.send(["in ", "three ", "fragments"])
        assert await peer.recv() == "in three fragments"
        await (await peer.ping())
        await peer.close(1000, "done")


async def main(url):
    offers = [
        {},
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True},
        {"server_max_window_bits": 9},
        {"client_max_window_bits": 9},
        {"client_max_window_bits": True, "server_max_window_bits": 12, "server_no_context_takeover": True},
    ]
    for offer in offers:
        await converse(url, [Deflate(**offer)])
    await converse(url, None)


asyncio.run(main(sys.argv[1]))
