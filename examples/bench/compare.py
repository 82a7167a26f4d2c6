#!/usr/bin/env python3
"""Measures `amparo find` beside DuckDB and Polars: `compare.py AMPARO LAKE [--rounds N] [--threads N]`.

Whole processes, in turns, so that all share whatever else the machine does; medians, and how they relate to the
faster of the two peers. All must find the same number of rows. `amparo` reads the identities from standard input.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def amparo(binary: str, lake: pathlib.Path, policies: str, count: int) -> int:
    with open(lake / f"ids-{count}.txt", "rb") as identities:
        out = subprocess.run(
            [binary, "-C", str(lake), "--policies", str(HERE / policies), "-o", "json", "find", "-"],
            stdin=identities, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    return sum(dataset["rows"] for dataset in json.loads(out)["datasets"])


def peer(name: str, lake: pathlib.Path, count: int, fold: bool = False) -> int:
    command = [sys.executable, str(HERE / "peers.py"), name, str(lake), str(lake / f"ids-{count}.txt")]
    out = subprocess.run(command + (["--fold"] if fold else []), stdout=subprocess.PIPE, check=True).stdout
    return sum(int(line.split("\t")[1]) for line in out.decode().splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("amparo")
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    lake = options.lake.resolve()

    print(f"{os.cpu_count()} processors, {options.rounds} rounds, seconds (medians of whole processes)")
    print("| identities in each of 3 columns | DuckDB | Polars | amparo, exact | ratio | amparo, any case | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in (1000, 100_000):
        runs = {
            "duckdb": lambda: peer("duckdb", lake, count),
            "polars": lambda: peer("polars", lake, count),
            "exact": lambda: amparo(options.amparo, lake, "exact", count),
            "folded": lambda: amparo(options.amparo, lake, "folded", count),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        rows: dict[str, int] = {}
        for turn in range(options.rounds + 1):
            for name, run in runs.items():
                start = time.perf_counter()
                rows[name] = run()
                if turn:  # the first turn warms the page cache
                    seconds[name].append(time.perf_counter() - start)
        if len(set(rows.values())) != 1:
            sys.exit(f"the engines do not agree: {rows}")
        median = {name: statistics.median(times) for name, times in seconds.items()}
        best = min(median["duckdb"], median["polars"])
        print(f"| {count:,} ({rows['exact']:,} rows) | {median['duckdb']:.2f} | {median['polars']:.2f} "
              f"| {median['exact']:.2f} | {median['exact'] / best:.2f} "
              f"| {median['folded']:.2f} | {median['folded'] / best:.2f} |")


if __name__ == "__main__":
    main()
