"""A healthy server with a boot id: `small_server.py PORT BOOT_ID`; prints its port."""

from __future__ import annotations

import asyncio
import sys


async def main(port: int, boot_id: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Boot-Id: {boot_id}\r\nX-Load: 0.25\r\n\r\n"
        )
        busy = head.replace("200 OK", "503 Busy")
        served = 0
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                served += 1
                flips = request.startswith(b"GET /flip ") and served % 2 == 0
                writer.write((busy if flips else head).encode() + b"ok")
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # ends with the test that started it, however that ended
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
