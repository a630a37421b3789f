#!/usr/bin/env python3
"""Resident memory of the server while connections come and go.

    benches/churn.py [--connections N] [--rounds N] [--size BYTES] [BINARY]

BINARY is the built program, target/release/framescope when it is left out. Starts `serve --headless --quiet` on a free port of
127.0.0.1. In each round, N clients (800) connect to /echo with permessage-deflate, send one compressed message of BYTES (1,000)
and receive its echo. Then all of them close. Prints the resident memory of the server while the connections are open, and after
they have ended. Linux only: the figures come from /proc.

Exit status 1 when memory grows by more than 8 kB per connection after round 4. Up to then, heaps and buffers fill; after that,
only the index may grow.
"""

import argparse
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The round after which memory may grow only by the index, and by how much, in bytes per connection.
SETTLED = 4
MOST_GROWTH = 8_000

# No wait is longer than this, in seconds.
PATIENCE = 30

KEY = bytes.fromhex("37fa213d")
REQUEST = (b"GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n")


def frame(first_byte, payload):
    """A masked frame (RFC 6455 §5.2)."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([first_byte]) + length + KEY + bytes(byte ^ KEY[i & 3] for i, byte in enumerate(payload))


def compressed(text):
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]


def receive(stream, at_least, until=b""):
    """Reads at least that many bytes, and up to a separator."""
    received = b""
    while len(received) < at_least or until not in received:
        piece = stream.recv(65536)
        if not piece:
            raise SystemExit("churn: the server ended a connection")
        received += piece
    return received


def connected(address):
    stream = socket.create_connection(address, PATIENCE)
    stream.sendall(REQUEST)
    answer = receive(stream, 1, b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 101") or b"permessage-deflate" not in answer:
        raise SystemExit(f"churn: no permessage-deflate: {answer!r}")
    return stream


def status(pid, name):
    """A figure of /proc/PID/status."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])


def wait_for_threads(pid, count):
    """Waits until the server's process has only that many threads: each connection has one."""
    deadline = time.monotonic() + PATIENCE
    while status(pid, "Threads") > count:
        if time.monotonic() > deadline:
            raise SystemExit("churn: connections do not end")
        time.sleep(0.01)


def one_round(server, address, connections, message):
    """Returns the server's resident memory in kB with all connections open, and after they have ended."""
    idle = status(server.pid, "Threads")
    streams = [connected(address) for _ in range(connections)]
    for stream in streams:
        stream.sendall(message)
    for stream in streams:
        receive(stream, 2)
    opened = status(server.pid, "VmRSS")
    for stream in streams:
        stream.sendall(frame(0x88, (1000).to_bytes(2, "big")))
    for stream in streams:
        while stream.recv(65536):
            pass
        stream.close()
    wait_for_threads(server.pid, idle)
    return opened, status(server.pid, "VmRSS")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope", type=pathlib.Path)
    parser.add_argument("--connections", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=14)
    parser.add_argument("--size", type=int, default=1000, help="length of the message in bytes (1,000)")
    options = parser.parse_args()
    files = options.connections + 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, max(files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    text = (b"messages that come and go; " * options.size)[:options.size]
    message = frame(0xC1, compressed(text))
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [options.binary.resolve(), "serve", "--headless", "--quiet", "--listen", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"TMPDIR": folder, "XDG_CACHE_HOME": folder})
        try:
            port = int(re.search(r":(\d+)", server.stderr.readline())[1])
            print(f"start: {status(server.pid, 'VmRSS')} kB")
            ended = []
            for number in range(1, options.rounds + 1):
                begun = time.monotonic()
                opened, after = one_round(server, ("127.0.0.1", port), options.connections, message)
                ended.append(after)
                print(f"round {number:2}: {opened:8} kB open, {after:8} kB ended, {time.monotonic() - begun:.1f} s", flush=True)
        finally:
            server.terminate()
            server.wait(PATIENCE)
    later = ended[SETTLED:]
    if later:
        growth = (max(later) - ended[SETTLED - 1]) * 1024 / (len(later) * options.connections)
        print(f"growth after round {SETTLED}: {growth:.0f} bytes per connection; the bar is {MOST_GROWTH}")
        return growth > MOST_GROWTH
    return 0


sys.exit(main())
