"""Echoes messages to one client with Python's websockets: python websockets_server.py; prints its URL."""

import asyncio

from websockets.asyncio.server import serve


async def main():
    done = asyncio.get_running_loop().create_future()

    async def echo(connection):
        await connection.ping(b"from the server")
        async for message in connection:
            await connection.send(message)
        await connection.wait_closed()
        done.set_result(connection.close_code)

    async with serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"ws://127.0.0.1:{port}/", flush=True)
        code = await done
    raise SystemExit(0 if code == 1000 else 1)


asyncio.run(main())
