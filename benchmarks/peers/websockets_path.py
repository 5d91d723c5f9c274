"""A raw broadcast of the library websockets, nothing before it and nothing behind. Run in an environment of its own.

websockets_path.py     prints its port; each line `COUNT PER_S BYTES` on stdin has it broadcast, and it prints `done`
"""

import asyncio
import json
import sys
import time

import uvloop
from websockets.asyncio.server import broadcast, serve


async def main():
    """Serve until stdin ends."""
    clients = set()

    async def joined(client):
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    loop = asyncio.get_running_loop()
    async with serve(joined, "127.0.0.1", 0, compression=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            count, per_s, size = line.split()
            await send(clients, int(count), float(per_s), int(size))
            print("done", flush=True)


async def send(clients, count, per_s, size):
    """So many messages of that size, evenly; each says when it was sent."""
    began = time.perf_counter()
    for number in range(1, count + 1):
        await asyncio.sleep(max(0.0, began + number / per_s - time.perf_counter()))
        message = json.dumps({"n": number, "sent": time.perf_counter_ns(), "pad": "x" * max(0, size - 50)})
        broadcast(clients, message)


if __name__ == "__main__":
    uvloop.run(main())
