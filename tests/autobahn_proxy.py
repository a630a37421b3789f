#!/usr/bin/env python3
"""Runs the Autobahn TestSuite against the suite's own echo server, directly and through framescope proxy.

    tests/autobahn_proxy.py [--all] [--jobs-dir DIR] [BINARY]

BINARY is the built program; the default is target/release/framescope. Without --all, the 301 core cases run twice. With --all, all 517
cases run twice. It needs CPython 2.7 and is installed as by tests/autobahn.py, into DIR (default: target/autobahn). The suite's server
listens on all addresses, so the script runs itself in a network namespace of its own: it needs unshare and ip, and root or user
namespaces.

In some cases (3.4, 4.1.5, 4.2.5) the client sends a message and then a violation, octet by octet. Whether the server answers the message
before it sees the violation is a matter of time, with and without a proxy: OK if it does, NON-STRICT if not. The script names these
cases and takes both verdicts as the same.

Exit status: 0 if every case has the same verdict, the same close verdict and the same close code both times, and if the capture file
has as many records as the live run; 1 if not; 2 if the suite did not run.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import autobahn

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = 9001
PATIENCE = 30


def enter_namespace():
    """Starts this script again in a network namespace that has only the loopback interface."""
    if os.environ.get("FRAMESCOPE_NAMESPACE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    environment = os.environ | {"FRAMESCOPE_NAMESPACE": "1"}
    done = subprocess.run(["unshare", *rights, "--net", sys.executable, *sys.argv], env=environment, check=False)
    sys.exit(done.returncode)


def echo_server(program, folder):
    """Starts the suite's server, and waits until it listens."""
    log = open(folder / "echoserver.log", "w")
    server = subprocess.Popen([program, "-m", "echoserver", "-w", f"ws://127.0.0.1:{PORT}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", PORT), 1).close()
            return server
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                autobahn.fail(f"the suite's server does not listen; see {folder / 'echoserver.log'}")
            time.sleep(0.05)


def proxy(binary, capture):
    command = [binary, "proxy", f"ws://127.0.0.1:{PORT}", "--headless", "--quiet", "--listen", "127.0.0.1:0", "--write", capture, "--force"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = running.stderr.readline()
    address = re.search(r"listening on http://(\S+)/", line)
    if not address:
        autobahn.fail(f"{binary} does not listen: {line.strip()}")
    return running, address.group(1)


def verdicts(program, address, folder, everything):
    folder.mkdir(parents=True, exist_ok=True)
    cases = autobahn.suite("wstest", program, address, folder, everything)
    return {case: (result["behavior"], result["behaviorClose"], result["remoteCloseCode"]) for case, result in cases.items()}


def is_late(direct, relayed):
    """True if the server answered before it saw the violation in one run only."""
    return direct[1:] == relayed[1:] and {direct[0], relayed[0]} == {"OK", "NON-STRICT"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope", type=pathlib.Path)
    parser.add_argument("--all", action="store_true", help="all 517 cases")
    parser.add_argument("--jobs-dir", default=ROOT / "target/autobahn", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args()
    if not autobahn.python27():
        autobahn.fail("wstest needs CPython 2.7; set PYTHON27 to its path")
    if not os.access(options.binary, os.X_OK):
        autobahn.fail(f"{options.binary} does not exist; run cargo build --release")
    if missing := [tool for tool in ("unshare", "ip") if not shutil.which(tool)]:
        autobahn.fail(f"{' and '.join(missing)} not found; install util-linux and iproute2")
    # Before the namespace, which has no network.
    program = autobahn.install("wstest", options.jobs_dir)
    enter_namespace()
    capture = options.jobs_dir / "proxy.pcapng"
    server = echo_server(program, options.jobs_dir)
    try:
        direct = verdicts(program, f"127.0.0.1:{PORT}", options.jobs_dir / "direct", options.all)
        running, address = proxy(options.binary, capture)
        try:
            relayed = verdicts(program, address, options.jobs_dir / "relayed", options.all)
        except BaseException:
            running.kill()
            raise
        live = autobahn.stop(running)
    finally:
        server.kill()
    expected = autobahn.ALL if options.all else autobahn.CORE
    failed, late = [], []
    for case in sorted(direct.keys() | relayed.keys()):
        verdict = direct.get(case), relayed.get(case)
        if verdict[0] != verdict[1]:
            group = late if all(verdict) and is_late(*verdict) else failed
            group.append(f"case {case}: {verdict[0]} directly, {verdict[1]} through the proxy")
    if len(direct) != expected:
        failed.append(f"{len(direct)} of {expected} cases ran")
    opened = autobahn.records(options.binary, capture)
    if opened != live:
        failed.append(f"the file has {opened} records, the live run had {live}")
    capture.unlink()
    passed = sum(behaviour in ("OK", "INFORMATIONAL") for behaviour, *_ in direct.values())
    print(f"{len(relayed)} cases: {passed} pass directly, {len(failed)} differ; {live} records in the live run, {opened} in the file")
    if late:
        print("\n".join(["only the time of the answer differs:", *late]))
    print("\n".join(failed) if failed else "the same verdicts")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
