#!/usr/bin/env python3
"""A large download through framescope proxy, without TLS and with TLS on both sides, against the same download without the proxy.

    benches/download.py [--mib N] [--rounds N] [BINARY]

BINARY is the built program, target/release/framescope when it is left out. A server of Python sends N MiB (2048) of bytes that differ,
curl reads them and throws them away. Rounds go around all four ways, so that other load on the machine affects all alike; a figure is
the median of its rounds, a ratio the median of the rounds' ratios. One more download through each proxy is compared by its SHA-256.
The proxy captures with a ring, and its resident memory is printed. Captures are written to $TMPDIR: use a memory file system, such as
/dev/shm. Needs curl and openssl.

Exit status 1 if a download has another SHA-256, or if a proxy has more than 64 MiB of memory resident.
"""

import argparse
import functools
import hashlib
import http.server
import os
import pathlib
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The most memory of a proxy, in MiB.
MOST = 64

# Bytes that differ, sent again and again.
PIECE = b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range(1 << 15))


class Pieces(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, pieces, *rest):
        self.pieces = pieces
        super().__init__(*rest)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(self.pieces * len(PIECE)))
        self.end_headers()
        for _ in range(self.pieces):
            self.wfile.write(PIECE)

    def log_message(self, *_):
        pass


def server(pieces, context=None):
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Pieces, pieces))
    if context:
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    return listening.server_address[1]


def certificate(folder):
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def proxy(binary, target, folder, name, *more):
    """A running proxy, and its port."""
    command = [binary, "proxy", target, "--listen", "127.0.0.1:0", "--headless", "--quiet", "--ring", "64MiB",
               "--write", folder / f"{name}.pcapng", *more]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    said = []
    for line in running.stderr:
        said.append(line)
        if found := re.search(r"listening on \w+://127\.0\.0\.1:(\d+)", line):
            # Nobody reads later lines, which are few.
            return running, int(found[1])
    sys.exit(f"{name}: the proxy did not start: {''.join(said)}")


def curl(url, out=None):
    return subprocess.run(["curl", "-sS", "-k", "--fail", "--noproxy", "*", "-o", out or "/dev/null", url], check=True, timeout=600)


def sha256(url):
    with subprocess.Popen(["curl", "-sS", "-k", "--fail", "--noproxy", "*", url], stdout=subprocess.PIPE) as running:
        return hashlib.file_digest(running.stdout, "sha256").hexdigest()


def resident(process):
    """Resident memory, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope")
    options = parser.parse_args()
    folder = tempfile.TemporaryDirectory()
    path = pathlib.Path(folder.name)
    cert, key = certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    plain, tls = server(options.mib), server(options.mib, context)
    running = {}
    try:
        running["plain"], plain_proxy = proxy(options.binary, f"http://127.0.0.1:{plain}", path, "plain")
        running["TLS"], tls_proxy = proxy(options.binary, f"https://127.0.0.1:{tls}", path, "TLS",
                                          "--cacert", cert, "--tls", "--cert", cert, "--key", key)
        ways = {"plain": (f"http://127.0.0.1:{plain}/", f"http://127.0.0.1:{plain_proxy}/"),
                "TLS": (f"https://127.0.0.1:{tls}/", f"https://127.0.0.1:{tls_proxy}/")}
        rates = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, urls in ways.items():
                pair = []
                for url in urls:
                    start = time.monotonic()
                    curl(url)
                    pair.append(options.mib / (time.monotonic() - start))
                rates[name].append(pair)
        expected = hashlib.sha256()
        for _ in range(options.mib):
            expected.update(PIECE)
        failed = False
        print("           direct MiB/s  framescope MiB/s  ratio  resident MiB  SHA-256")
        for name, rounds in rates.items():
            direct, through = (statistics.median(pair[i] for pair in rounds) for i in (0, 1))
            ratio = statistics.median(through / direct for direct, through in rounds)
            same = sha256(ways[name][1]) == expected.hexdigest()
            memory = resident(running[name])
            failed |= not same or memory > MOST
            print(f"{name:<9}  {direct:>12.0f}  {through:>16.0f}  {ratio:>5.2f}  {memory:>12.1f}  {'equal' if same else 'DIFFERS'}")
    finally:
        for process in running.values():
            process.terminate()
            process.wait(10)
        folder.cleanup()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
