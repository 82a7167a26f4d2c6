#!/usr/bin/env python3
"""Measures the daemon: `daemon.py AMPARO DIR [--rounds N] [--passes N]`.

On the lake of `amparo demo`, in DIR: the time from the appearance of a request file to its package, and the resident
memory of a daemon some passes later, one a second.
"""

import argparse
import pathlib
import re
import shutil
import statistics
import subprocess
import time
import urllib.request

REQUEST = """\
apiVersion: amparo/v1
kind: SubjectRequest
metadata: {{name: {name}}}
spec:
  regulation: gdpr
  receivedAt: 2026-11-20
  users: [{{key: {name}, action: [access], userIDs: [{{namespace: email address, value: {email}}}]}}]
"""


def passes(address: str) -> int:
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode()
    return int(sum(float(n) for n in re.findall(r"^amparo_passes_total(?:\{[^}]*\})? (\S+)$", text, re.M)))


def memory(process: int) -> float:
    status = pathlib.Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def wait(condition, seconds: float = 60.0) -> float:
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > seconds:
            raise SystemExit("the daemon did not do it in time")
        time.sleep(0.005)
    return time.perf_counter() - start


def email(lake: pathlib.Path) -> str:
    import pyarrow.dataset as ds

    table = ds.dataset(lake / "customers.parquet").to_table(columns=["email"])
    return next(value for value in table["email"].to_pylist() if value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("amparo")
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--passes", type=int, default=60)
    parser.add_argument("--listen", default="127.0.0.1:9464")
    options = parser.parse_args()
    work = options.dir / "daemon-work"
    shutil.rmtree(work, ignore_errors=True)
    subprocess.run([options.amparo, "demo", str(work)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subject = email(work / "lake")
    daemon = subprocess.Popen(
        [options.amparo, "-C", str(work), "watch", "--listen", options.listen, "--interval", "1s"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def ready() -> bool:
            try:
                return passes(options.listen) > 0
            except OSError:
                return False
        wait(ready)
        took = []
        for number in range(options.rounds):
            name = f"latency-{number}"
            package = work / "exports" / name / f"{name}.zip"
            (work / "requests" / f"{name}.yaml").write_text(REQUEST.format(name=name, email=subject), encoding="utf-8")
            took.append(wait(package.exists))
        print(f"from request to package: {statistics.median(took):.2f} s (median of {len(took)})", flush=True)
        first, start = memory(daemon.pid), passes(options.listen)
        wait(lambda: passes(options.listen) >= start + options.passes, seconds=60.0 + 2 * options.passes)
        print(f"memory: {first:.0f} MB at first, {memory(daemon.pid):.0f} MB {options.passes} passes later")
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
