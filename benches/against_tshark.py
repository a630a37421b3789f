#!/usr/bin/env python3
"""Opening, checking and exporting a large capture, against tshark on the same file.

    benches/against_tshark.py [--frames N] [--rounds N] [BINARY]

BINARY is the built program, target/release/framescope when it is left out. Makes a pcapng of N small frames (1,000,000, 93 MB)
in a temporary folder, and measures whole processes: the time by the clock, and the most memory that was resident. Rounds go
around all of them, so that whatever else the machine does meets all alike; a figure is the median of its rounds, a ratio the
median of the rounds' ratios. Needs tshark. Exit status 1 when a bar is not reached.
"""

import argparse
import fcntl
import os
import pathlib
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

REQUEST = (b"GET /ticker HTTP/1.1\r\nHost: 127.0.0.1:6455\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
RESPONSE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def capture(path, frames):
    """A capture of one connection: `echo N` from the server, `client: echo N` back, a packet for each frame."""
    ends = struct.pack(">HH", 50000, 6455), struct.pack(">HH", 6455, 50000)
    seq = [1000, 2000]
    clock = 1_795_375_800_000_000_000

    def packet(side, payload, flags=0x18):
        nonlocal clock
        clock += 50_000
        tcp = ends[side] + struct.pack(">IIBBHHH", seq[side], seq[1 - side], 0x50, flags, 0xFFFF, 0, 0)
        ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0, 0x7F000001, 0x7F000001)
        data = ip + tcp + payload
        total = 32 + (len(data) + 3 & ~3)
        seq[side] = seq[side] + len(payload) + (flags & 3 != 0) & 0xFFFFFFFF
        return (struct.pack("<IIIIIII", 6, total, 0, clock >> 32, clock & 0xFFFFFFFF, len(data), len(data))
                + data + bytes(-len(data) % 4) + struct.pack("<I", total))

    with open(path, "wb") as file:
        file.write(struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28))
        file.write(struct.pack("<IIHHIHHIII", 1, 32, 101, 0, 0, 9, 1, 9, 0, 32))
        for side, payload, flags in [(0, b"", 2), (1, b"", 18), (0, b"", 16), (0, REQUEST, 24), (1, RESPONSE, 24)]:
            file.write(packet(side, payload, flags))
        for n in range(frames // 2):
            text = b"echo %d" % n
            file.write(packet(1, bytes([0x81, len(text)]) + text))
            text = b"client: " + text
            key = struct.pack(">I", n * 0x9E3779B1 + 1 & 0xFFFFFFFF)
            masked = (int.from_bytes(text) ^ int.from_bytes((key * 6)[:len(text)])).to_bytes(len(text))
            file.write(packet(0, bytes([0x81, 0x80 | len(text)]) + key + masked))


def process(*command):
    """Runs a command; seconds and megabytes."""
    begun = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))} ended with {child.returncode}")
    return time.monotonic() - begun, usage.ru_maxrss / 1000


def first_screen(*command):
    """Runs a command in a terminal until it shows the first frames; seconds and megabytes."""
    begun = time.monotonic()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        os.execv(command[0], command)
    seen = b""
    while b"client:" not in seen and time.monotonic() - begun < 60:
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    took = time.monotonic() - begun
    os.kill(pid, signal.SIGTERM)
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # the terminal is gone when the program is
    _, _, usage = os.wait4(pid, 0)
    os.close(terminal)
    if b"client:" not in seen:
        sys.exit("no frame on the screen within 60 s")
    return took, usage.ru_maxrss / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope", type=pathlib.Path)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    binary = str(options.binary.resolve())
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "frames.pcapng")
        capture(file, options.frames)
        print(f"{options.frames:,} frames, {os.path.getsize(file) / 1e6:.0f} MB; medians of {options.rounds} rounds\n")
        works = {
            "tshark": (None, None, lambda: process(
                "tshark", "-r", file, "-Y", "websocket", "-T", "fields", "-e", "websocket.opcode")),
            "check": (30, 10, lambda: process(binary, "check", file)),
            "open, first screen": (30, 10, lambda: first_screen(binary, "open", file, "--theme", "dark")),
            "export --to ndjson": (10, None, lambda: process(binary, "export", file, "--to", "ndjson", "-o", "-")),
        }
        rounds = [{name: work() for name, (_, _, work) in works.items()} for _ in range(options.rounds)]
    failed = False
    print("                       seconds        MB   faster   bar    memory   bar")
    for name, (speed, memory, _) in works.items():
        seconds, megabytes = (statistics.median(r[name][i] for r in rounds) for i in (0, 1))
        line = f"{name:20} {seconds:9.2f} {megabytes:9.0f}"
        if speed:
            faster = statistics.median(r["tshark"][0] / r[name][0] for r in rounds)
            less = statistics.median(r["tshark"][1] / r[name][1] for r in rounds)
            wanted = f"÷{memory}" if memory else ""
            line += f" {faster:7.1f}× {speed:4}× {f'÷{less:.1f}':>8} {wanted:>5}"
            failed |= faster < speed or bool(memory) and less < memory
        print(line)
    sys.exit(failed)


if __name__ == "__main__":
    main()
