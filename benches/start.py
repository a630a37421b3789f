#!/usr/bin/env python3
"""Time from exec to the first screen, in a pseudo-terminal.

    benches/start.py [--runs N] [BINARY]

BINARY is the built program, target/release/framescope when it is left out. Starts it N times (20) for each of two commands: `serve`
on a free port of 127.0.0.1, and `open` of a sample. The terminal has 120 columns and 36 rows. One terminal answers the question
about its background colour at once, and another one never does. The clock starts before the process is created, and stops when the
last word of the bottom line has arrived. Prints the median and the slowest run of each, in milliseconds, and the same for
`--version`, which draws nothing: the time that the system needs for a process.

Exit status 1 when a median is above 50 ms. Needs Linux or macOS.
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

# The bar, in milliseconds.
MOST = 50

SIZE = (36, 120)

# No wait is longer than this, in seconds.
PATIENCE = 10

QUESTION = b"\x1b]11;?\x07"
ANSWER = b"\x1b]11;rgb:1e1e/1e1e/2e2e\x07"

# The last word of the bottom line.
LAST_WORD = b"quit"

COMMANDS = [
    ["serve", "--listen", "127.0.0.1:0"],
    ["open", "--sample", "hello"],
]


def own_terminal(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


def first_screen(binary, arguments, environment, answers):
    """The milliseconds until the first screen is complete."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
    begun = time.perf_counter()
    program = subprocess.Popen([binary, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment,
                               preexec_fn=lambda: own_terminal(slave))
    os.close(slave)
    drawn, is_asked, taken = b"", False, None
    try:
        while time.perf_counter() - begun < PATIENCE:
            if not select.select([master], [], [], PATIENCE)[0]:
                break
            drawn += os.read(master, 65536)
            if QUESTION in drawn and not is_asked:
                is_asked = True
                if answers:
                    os.write(master, ANSWER)
            if LAST_WORD in drawn:
                taken = (time.perf_counter() - begun) * 1000
                break
    finally:
        program.send_signal(signal.SIGTERM)
        # What it still writes must be read, so that it can end.
        while program.poll() is None:
            if select.select([master], [], [], 0.05)[0]:
                try:
                    os.read(master, 65536)
                except OSError:
                    pass
        os.close(master)
    if taken is None:
        raise SystemExit(f"start: no screen within {PATIENCE} s: {drawn[-300:]!r}")
    if not is_asked:
        raise SystemExit("start: the program did not ask for the background colour")
    return taken


def without_screen(binary):
    begun = time.perf_counter()
    subprocess.run([binary, "--version"], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begun) * 1000


def line(name, times):
    median = statistics.median(times)
    print(f"{name:44} {median:7.1f} ms median, {max(times):7.1f} ms slowest", flush=True)
    return median


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    binary = options.binary.resolve()
    medians = []
    with tempfile.TemporaryDirectory() as folder:
        unset = {"NO_COLOR", "COLORTERM"}
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        own = {name: folder for name in ("TMPDIR", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")}
        environment |= own | {"TERM": "xterm-256color"}
        line("--version", [without_screen(binary) for _ in range(options.runs)])
        for arguments in COMMANDS:
            for answers in (True, False):
                terminal = "answers" if answers else "never answers"
                times = [first_screen(binary, arguments, environment, answers) for _ in range(options.runs)]
                medians.append(line(f"{' '.join(arguments)}, terminal {terminal}", times))
    return max(medians) > MOST


if __name__ == "__main__":
    sys.exit(main())
