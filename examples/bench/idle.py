#!/usr/bin/env python3
"""Measures an idle pass: `idle.py AMPARO DIR [--files N] [--blocks N] [--tasks N] [--rounds N]`.

Makes, once, in DIR: a dataset of 10,000 small files in 100 partitions; 50 blocks that come back in every pass,
half of them deletes that a hold keeps open, half `standing`; and a ledger that knows 10,000 finished tasks besides.
Then it lets passes run until one has written nothing, and prints for each: seconds, peak memory, and (with
strace at hand) how many data files were opened.
"""

import argparse
import hashlib
import json
import pathlib
import re
import resource
import shutil
import subprocess
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SUBJECTS = 200_000

POLICIES = """\
apiVersion: amparo/v1
kind: Dataset
metadata: {name: events}
spec:
  product: analytics
  location: lake/events/
  format: parquet
  timestamp: ts
  fields:
    - {path: email, namespace: email address, labels: [I1, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: crm_id, namespace: CRM-ID, labels: [I2, ID-PERSON, DEL-PERSON, ACC-PERSON]}
    - {path: visitor_id, namespace: visitor, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}
    - {path: page, labels: [ACC-ALL]}
---
apiVersion: amparo/v1
kind: Namespace
metadata: {name: visitor}
spec: {namespace: visitor, expansion: cookie}
---
apiVersion: amparo/v1
kind: Hold
metadata: {name: litigation}
spec: {requests: [held], until: 2099-01-01, reason: "litigation"}
"""


def lake(root: pathlib.Path, files: int) -> None:
    for number in range(files):
        draw = np.random.default_rng(number)
        who = draw.integers(0, SUBJECTS, 100)
        table = pa.table({
            "ts": pa.array(1_760_000_000_000_000 + number * 1_000_000 + np.arange(100), pa.timestamp("us")),
            "email": pa.array([f"user{n}@mail{n % 50}.example" for n in who]),
            "crm_id": pa.array([f"ACME-{n:08d}" for n in who]),
            "visitor_id": pa.array([f"{n:032x}" for n in who]),
            "page": pa.array([f"/p/{n % 977}" for n in who]),
            "revenue": pa.array(draw.random(100)),
            "quantity": pa.array(draw.integers(0, 9, 100)),
        })
        folder = root / f"part={number % 100:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / f"{number:05d}.parquet")


def request(name: str, subjects: range, standing: bool) -> str:
    users = "".join(
        f"    - key: {name}-{n}\n      action: [delete]\n      standing: {str(standing).lower()}\n"
        f"      userIDs: [{{namespace: email address, value: user{n}@mail{n % 50}.example}}]\n"
        for n in subjects
    )
    return (f"apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: {name}}}\n"
            f"spec:\n  regulation: gdpr\n  receivedAt: 2026-11-01\n  expandIds: true\n  include: [analytics]\n"
            f"  users:\n{users}")


def ledger(state: pathlib.Path, tasks: int) -> None:
    """Adds finished tasks of requests that are gone, 100 a commit."""
    number, digest = (state / "head").read_text().strip().split(":")
    number = int(number)
    for first in range(0, tasks, 100):
        number += 1
        records = []
        for task in range(first, min(first + 100, tasks)):
            name, key = f"old-{task // 100}", f"K-{task}"
            of = {"request": name, "key": key, "action": "delete"}
            hexes = hashlib.sha256(f"{name}{key}".encode()).hexdigest()
            file = hashlib.sha256(key.encode()).hexdigest()
            counts = {"personRows": 4, "deviceRows": 0, "datasetsSearched": 1, "filesSearched": 10000,
                      "rowsSearched": 1000000, "rowsErased": 4, "cellsErased": 12, "filesTouched": 1}
            if task % 100 == 0:
                records.append({"event": "RequestSeen", "request": name, "digest": hexes, "at": "2026-01-01T00:00:00Z"})
            records += [
                {"event": "TaskSubmitted", **of, "fingerprint": hexes, "regulation": "gdpr",
                 "receivedAt": "2026-01-01T00:00:00Z", "due": "2026-02-01T00:00:00Z"},
                {"event": "TaskStarted", **of, "package": None},
                {"event": "EraseIntent", "dataset": "events", "path": f"lake/events/old-{task}.parquet", "file": file,
                 "before": hexes, "after": file, "tasks": [{**of, "rowsErased": 4, "cellsErased": 12}]},
                {"event": "EraseDone", "dataset": "events", "file": file, "before": hexes},
                {"event": "TaskCompleted", **of, "reason": "Erased", "counts": counts, "sources": ["events"],
                 "leftOut": [], "package": None, "verified": True},
            ]
        head = f'{{"seq": {number}, "time": "2026-01-02T00:00:00Z", "toolVersion": "0.1.0", "prev": "{digest}", "records": [\n'
        body = head + ",\n".join(json.dumps(record, separators=(",", ":")) for record in records) + "\n]}\n"
        (state / "ledger" / f"{number:020}.json").write_text(body)
        digest = hashlib.sha256(body.encode()).hexdigest()
    (state / "head").write_text(f"{number}:{digest}\n")


def files(root: pathlib.Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size)
            for path in root.rglob("*") if path.is_file() and path.name != "lock"}


def run(amparo: str, root: pathlib.Path) -> tuple[float, int]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen([amparo, "-C", str(root), "-q", "apply", "--auto-approve"], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+)", status)
            peak = max(peak, int(found.group(1)) if found else 0)
        except OSError:
            pass
        time.sleep(0.01)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode not in (0, 4, 5):
        raise SystemExit(f"amparo ended with {process.returncode}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  {seconds:7.2f} s  {cpu:7.2f} s of processor  {peak // 1024:5d} MiB", end="", flush=True)
    return seconds, peak


def opened(amparo: str, root: pathlib.Path) -> None:
    """Counts the data files that a pass opens."""
    if shutil.which("strace") is None:
        return
    log = root / "strace.log"
    subprocess.run(["strace", "-f", "-e", "trace=openat", "-o", str(log),
                    amparo, "-C", str(root), "-q", "apply", "--auto-approve"], stdout=subprocess.DEVNULL, check=False)
    names = re.findall(r'"([^"]*\.parquet)"', log.read_text())
    print(f"data files opened: {len(set(names))} of them, {len(names)} times")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("amparo")
    arguments.add_argument("dir", type=pathlib.Path)
    arguments.add_argument("--files", type=int, default=10_000)
    arguments.add_argument("--blocks", type=int, default=50)
    arguments.add_argument("--tasks", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    root, amparo = given.dir, str(pathlib.Path(given.amparo).resolve())
    if not (root / "lake").exists():
        lake(root / "lake" / "events", given.files)
        (root / "policies").mkdir()
        (root / "requests").mkdir()
        (root / "policies" / "all.yaml").write_text(POLICIES)
        half = given.blocks // 2
        (root / "requests" / "held.yaml").write_text(request("held", range(half), False))
        (root / "requests" / "kept.yaml").write_text(request("kept", range(half, given.blocks), True))
        print("the first pass:", end="")
        run(amparo, root)
        print()
        ledger(root / "state", given.tasks)
    for _ in range(given.rounds):
        before = files(root / "state")
        run(amparo, root)
        after = files(root / "state")
        written = sorted(pathlib.Path(name).relative_to(root).as_posix()
                         for name in after if after[name] != before.get(name))
        print("  wrote nothing" if not written else f"  wrote {', '.join(written[:4])}")
    opened(amparo, root)


if __name__ == "__main__":
    main()
