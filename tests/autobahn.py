#!/usr/bin/env python3
"""Runs the Autobahn TestSuite against framescope's /echo, while framescope captures every byte.

    tests/autobahn.py [--all] [--runner wstest|kosoku] [--jobs-dir DIR] [BINARY]

BINARY is the built program; the default is target/release/framescope. Without --all, the 301 core cases run (about 20 s).
With --all, all 517 cases run, also those of permessage-deflate (about ten minutes). The runner kosoku (Python 3) has the
core cases only. The runner wstest has all cases and needs CPython 2.7, which the script looks for in $PYTHON27, in pyenv's
versions and in /usr/bin. The first run installs the runner with pip into DIR (default: target/autobahn).

Prints a table by group. Exit status: 0 if every case is OK or INFORMATIONAL and closed cleanly, and if the capture file has
as many records as the live run; 1 if not; 2 if the suite did not run.
"""

import argparse
import collections
import glob
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CORE = 301
ALL = 517

GROUPS = {
    1: "framing", 2: "pings and pongs", 3: "reserved bits", 4: "opcodes", 5: "fragmentation", 6: "UTF-8",
    7: "closing", 9: "limits and performance", 10: "auto-fragmentation", 12: "compression", 13: "compression parameters",
}

# autobahntestsuite's own list of requirements is missing from its package.
WSTEST = """autobahn==0.10.9 txaio==2.1.0 Twisted==20.3.0 zope.interface==5.5.2 attrs==21.4.0 Automat==22.10.0
constantly==15.1.0 hyperlink==21.0.0 idna==2.10 incremental==22.10.0 PyHamcrest==1.10.1 six==1.17.0 typing==3.10.0.0
cffi==1.15.1 pycparser==2.21 cryptography==3.3.2 enum34==1.1.10 ipaddress==1.0.23 pyOpenSSL==21.0.0 pyasn1==0.5.1
pyasn1-modules==0.3.0 service-identity==21.1.0 Jinja2==2.11.3 MarkupSafe==1.1.1 Werkzeug==1.0.1 klein==20.6.0
Tubes==0.2.1 ujson==2.0.3 unittest2==1.1.0 traceback2==1.4.0 linecache2==1.0.0 argparse==1.4.0 wsaccel==0.6.6
autobahntestsuite==25.10.1"""


def fail(words):
    print(f"autobahn: {words}", file=sys.stderr)
    sys.exit(2)


def run(*command, **options):
    """Runs an installation step. Prints its output only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode:
        print(done.stdout[-4000:], file=sys.stderr)
        fail(f"{' '.join(map(str, command[:4]))} failed with {done.returncode}")


def python27():
    candidates = [os.environ.get("PYTHON27", ""), "/usr/bin/python2.7"]
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    candidates += sorted(glob.glob(f"{pyenv}/versions/2.7.*/bin/python2.7"))
    return next((path for path in candidates if path and os.access(path, os.X_OK)), None)


def install(runner, folder):
    """Installs the runner, unless it is installed; returns its program."""
    done = folder / f"{runner}.installed"
    program = folder / runner / "bin" / runner
    if done.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    if runner == "kosoku":
        run(sys.executable, "-m", "venv", "--clear", folder / runner)
        run(folder / runner / "bin" / "pip", "install", "-q", "kosoku==0.1.0")
    else:
        run(sys.executable, "-m", "venv", "--clear", folder / "virtualenv")
        run(folder / "virtualenv" / "bin" / "pip", "install", "-q", "virtualenv==20.21.1")  # the last version that supports 2.7
        run(folder / "virtualenv" / "bin" / "virtualenv", "-q", "--clear", "-p", python27(), folder / runner)
        run(folder / runner / "bin" / "pip", "install", "-q", "--no-deps", *WSTEST.split())
    done.touch()
    return program


def serve(binary, capture):
    command = [binary, "serve", "--headless", "--quiet", "--listen", "127.0.0.1:0", "--write", capture, "--force"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = server.stderr.readline()
    address = re.search(r"listening on http://(\S+)/", line)
    if not address:
        fail(f"{binary} does not listen: {line.strip()}")
    return server, address.group(1)


def stop(server):
    """Ends the server; returns the number of records in its summary."""
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=30)
    summary = re.search(r"([\d,]+) records?", out + err)
    if server.returncode or not summary:
        fail(f"the server ended with {server.returncode}: {(out + err).strip()}")
    print((out + err).strip().splitlines()[-1])
    return int(summary.group(1).replace(",", ""))


def suite(runner, program, address, folder, everything):
    """Runs the cases; returns the result of each by its number."""
    report = folder / "report"
    report.mkdir(parents=True, exist_ok=True)
    (report / "index.json").unlink(missing_ok=True)
    url = f"ws://{address}/echo"
    if runner == "kosoku":
        command = [program, "-m", "fuzzingclient", "-o", report, f"{address}/echo"]
        for case in ["12.*", "13.*"]:
            command[3:3] = ["-x", case]
    else:
        spec = {
            "outdir": str(report), "servers": [{"agent": "framescope", "url": url}], "cases": ["*"],
            "exclude-cases": [] if everything else ["12.*", "13.*"], "exclude-agent-cases": {},
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        command = [program, "-m", "fuzzingclient", "-s", folder / "spec.json"]
    with open(folder / "run.log", "w") as log:
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=1800, check=False)
        except subprocess.TimeoutExpired:
            fail(f"the suite did not end within 1800 s; see {folder / 'run.log'}")
    if not (report / "index.json").exists():
        fail(f"{runner} wrote no report; see {folder / 'run.log'}")
    return next(iter(json.loads((report / "index.json").read_text()).values()))


def table(cases):
    """Prints a line for each group; returns the cases that did not pass."""
    groups = collections.defaultdict(collections.Counter)
    failed = []
    for case, result in sorted(cases.items(), key=lambda item: [int(n) for n in item[0].split(".")]):
        behaviour, close = result["behavior"], result["behaviorClose"]
        groups[int(case.split(".")[0])][behaviour] += 1
        if behaviour not in ("OK", "INFORMATIONAL") or close not in ("OK", "INFORMATIONAL"):
            failed.append(f"case {case}: {behaviour}, close {close}")
    print("| group | cases | OK | INFORMATIONAL | other |")
    print("| --- | ---: | ---: | ---: | ---: |")
    total = collections.Counter()
    for number, counts in sorted(groups.items()):
        row(f"{number} {GROUPS.get(number, '')}".strip(), counts)
        total += counts
    row("all", total)
    return failed


def row(name, counts):
    known = counts["OK"], counts["INFORMATIONAL"]
    print(f"| {name} | {counts.total()} | {known[0]} | {known[1]} | {counts.total() - sum(known)} |")


def records(binary, capture):
    """Opens the capture file; returns its number of records, -1 if it cannot be read."""
    command = [binary, "export", capture, "--to", "ndjson", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as export:
        count = sum(piece.count(b"\n") for piece in iter(lambda: export.stdout.read(1 << 20), b""))
    return count if export.returncode == 0 else -1


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", nargs="?", default=ROOT / "target/release/framescope", type=pathlib.Path)
    parser.add_argument("--all", action="store_true", help="all 517 cases")
    parser.add_argument("--runner", choices=["wstest", "kosoku"])
    parser.add_argument("--jobs-dir", default=ROOT / "target/autobahn", type=pathlib.Path, metavar="DIR")
    options = parser.parse_args()
    runner = options.runner or ("wstest" if options.all else "kosoku")
    if options.all and runner == "kosoku":
        fail("kosoku has only the core cases; --all needs --runner wstest")
    if runner == "wstest" and not python27():
        fail("wstest needs CPython 2.7; set PYTHON27 to its path, or run the core cases with --runner kosoku")
    if not os.access(options.binary, os.X_OK):
        fail(f"{options.binary} does not exist; run cargo build --release")
    program = install(runner, options.jobs_dir)
    capture = options.jobs_dir / "run.pcapng"
    server, address = serve(options.binary, capture)
    try:
        cases = suite(runner, program, address, options.jobs_dir, options.all)
    except BaseException:
        server.kill()
        raise
    live = stop(server)
    failed = table(cases)
    expected = ALL if options.all else CORE
    if len(cases) != expected:
        failed.append(f"{len(cases)} of {expected} cases ran")
    opened = records(options.binary, capture)
    print(f"capture: {live} records in the live run, {opened} in the file")
    if opened != live:
        failed.append(f"the file has {opened} records, the live run had {live}")
    capture.unlink()
    print("\n".join(failed) if failed else "all passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
