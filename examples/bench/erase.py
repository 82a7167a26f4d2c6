#!/usr/bin/env python3
"""Measures `amparo apply` beside DuckDB, Polars and pyarrow doing the same erasure: `erase.py AMPARO LAKE [--rounds N]`.

With `--touched` the peers first look which files hold a match, and rewrite only those: for the clustered lake, where few do.

Each run works on a fresh copy of the lake, made and synced before the clock starts. Whole processes, in turns; medians
and peak memory of the largest process. amparo's time includes plan, proof, fsync and ledger; the peers only rewrite.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ("visitor_id", "crm_id", "email", "ip")
NAMESPACES = {"visitor-id": "visitor_id", "crm-id": "crm_id", "email": "email"}


def subjects(lake: pathlib.Path, count: int) -> list[dict[str, str]]:
    """The lake's identities, three lines a subject."""
    found, block = [], {}
    for line in (lake / f"ids-{count}.txt").read_text(encoding="utf-8").splitlines():
        namespace, value = line.split("=", 1)
        block[namespace] = value
        if len(block) == 3:
            found.append(block)
            block = {}
    return found


def workspace(work: pathlib.Path, lake: pathlib.Path, count: int, purge: bool) -> None:
    shutil.rmtree(work, ignore_errors=True)
    (work / "requests").mkdir(parents=True)
    shutil.copytree(lake / "events", work / "events")
    shutil.copytree(HERE / "exact", work / "policies")
    everyone = subjects(lake, count)
    for number in range(0, len(everyone), 1000):
        lines = [
            "apiVersion: amparo/v1", "kind: SubjectRequest", f"metadata: {{name: bench-{number}}}", "spec:",
            "  regulation: gdpr", "  receivedAt: 2026-11-20", "  include: [analytics]",
            f"  deleteMethod: {'purge' if purge else 'anonymize'}", "  users:"]
        for index, block in enumerate(everyone[number:number + 1000]):
            ids = ", ".join(f"{{namespace: {n}, value: \"{v}\"}}" for n, v in block.items())
            lines.append(f"    - {{key: S-{number + index}, action: [delete], userIDs: [{ids}]}}")
        (work / "requests" / f"bench-{number}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.sync()


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds and peak memory in MB of a process."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{command[:3]} failed: {errors.decode()[-2000:]}")
    return seconds, usage.ru_maxrss / 1024


def peer(engine: str, work: str, ids: str, purge: bool, touched: bool) -> None:
    """Rewrites every file of the copy, or those in which a row matches, as a script would."""
    by_column: dict[str, list[str]] = {column: [] for column in NAMESPACES.values()}
    for line in pathlib.Path(ids).read_text(encoding="utf-8").splitlines():
        namespace, value = line.split("=", 1)
        by_column[NAMESPACES[namespace]].append(value)
    paths = sorted(pathlib.Path(work).glob("events/*.parquet"))
    if touched:
        paths = TOUCHED[engine](paths, by_column)
    for path in paths:
        REWRITE[engine](path, path.with_suffix(".tmp"), by_column, purge)
        os.replace(path.with_suffix(".tmp"), path)


def with_duckdb(path, out, by_column, purge):
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    for column, values in by_column.items():
        connection.register(f"ids_{column}", pa.table({"v": values}))
    hit = "coalesce(" + " or ".join(f"coalesce({c} in (select v from ids_{c}), false)" for c in by_column) + ", false)"
    if purge:
        select = f"select * from read_parquet('{path}') where not {hit}"
    else:
        masks = ", ".join(f"case when hit then null else {c} end as {c}" for c in COLUMNS)
        select = f"select * exclude (hit) replace ({masks}) from (select *, {hit} as hit from read_parquet('{path}'))"
    connection.execute(f"copy ({select}) to '{out}' (format parquet, compression snappy, row_group_size 131072)")


def with_polars(path, out, by_column, purge):
    import polars as pl

    hit = pl.any_horizontal([pl.col(c).is_in(v).fill_null(False) for c, v in by_column.items()])
    frame = pl.scan_parquet(path)
    if purge:
        frame = frame.filter(~hit)
    else:
        frame = frame.with_columns([pl.when(hit).then(None).otherwise(pl.col(c)).alias(c) for c in COLUMNS])
    frame.sink_parquet(out, compression="snappy", row_group_size=131072)


def with_pyarrow(path, out, by_column, purge):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    hit = None
    for column, values in by_column.items():
        one = pc.fill_null(pc.is_in(table[column], value_set=pa.array(values)), False)
        hit = one if hit is None else pc.or_(hit, one)
    if purge:
        table = table.filter(pc.invert(hit))
    else:
        for column in COLUMNS:
            masked = pc.if_else(hit, pa.scalar(None, table[column].type), table[column])
            table = table.set_column(table.schema.get_field_index(column), column, masked)
    pq.write_table(table, out, row_group_size=131072)


def touched_by_duckdb(paths, by_column):
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    found = set()
    for column, values in by_column.items():
        connection.register(f"ids_{column}", pa.table({"v": values}))
        files = [str(path) for path in paths]
        found.update(row[0] for row in connection.execute(
            f"select distinct filename from read_parquet({files}, filename = true) where {column} in (select v from ids_{column})"
        ).fetchall())
    return [path for path in paths if str(path) in found]


def touched_by_polars(paths, by_column):
    import polars as pl

    frame = pl.scan_parquet(paths, include_file_paths="path")
    hit = pl.any_horizontal([pl.col(c).is_in(v).fill_null(False) for c, v in by_column.items()])
    found = set(frame.filter(hit).select(pl.col("path").unique()).collect()["path"].to_list())
    return [path for path in paths if str(path) in found]


def touched_by_pyarrow(paths, by_column):
    import pyarrow as pa
    import pyarrow.dataset as ds

    hit = None
    for column, values in by_column.items():
        one = ds.field(column).isin(pa.array(values))
        hit = one if hit is None else hit | one
    return [path for path in paths if ds.dataset(path).count_rows(filter=hit) > 0]


REWRITE = {"duckdb": with_duckdb, "polars": with_polars, "pyarrow": with_pyarrow}
TOUCHED = {"duckdb": touched_by_duckdb, "polars": touched_by_polars, "pyarrow": touched_by_pyarrow}


def copy_with_fsync(source: pathlib.Path, target: pathlib.Path) -> float:
    shutil.rmtree(target, ignore_errors=True)
    start = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    for path in target.glob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - start


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        peer(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5] == "purge", sys.argv[6] == "touched")
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("amparo")
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--touched", action="store_true", help="the peers rewrite only files with a match")
    parser.add_argument("--work", type=pathlib.Path, default=None)
    options = parser.parse_args()
    lake = options.lake.resolve()
    work = options.work or lake.parent / "erase-work"
    print("| work | cp, fsync | " + " | ".join(REWRITE) + " | amparo | to the fastest | to cp | amparo's peak |")
    print("| --- |" + " --- |" * (len(REWRITE) + 5))
    for label, count, purge in (
            ("null 4 columns of 10 subjects", 10, False),
            ("null 4 columns of 1,000 subjects", 1000, False),
            ("remove the rows of 10 subjects", 10, True)):
        mode = "purge" if purge else "anonymize"
        runs = {name: [sys.executable, __file__, "--peer", name, str(work), str(lake / f"ids-{count}.txt"), mode,
                       "touched" if options.touched else "all"]
                for name in REWRITE}
        runs["amparo"] = [options.amparo, "-C", str(work), "--now", "2026-11-22T09:00:00Z", "apply", "--auto-approve"]
        seconds: dict[str, list[float]] = {name: [] for name in ("cp", *runs)}
        memory = 0.0
        for _ in range(options.rounds):
            seconds["cp"].append(copy_with_fsync(lake / "events", lake.parent / "erase-copy"))
            shutil.rmtree(lake.parent / "erase-copy")
            for name, command in runs.items():
                workspace(work, lake, count, purge)
                took, peak = timed(command)
                seconds[name].append(took)
                if name == "amparo":
                    memory = max(memory, peak)
        median = {name: statistics.median(times) for name, times in seconds.items()}
        best = min(median[name] for name in REWRITE)
        cells = [f"{median[name]:.2f}" for name in ("cp", *REWRITE, "amparo")]
        print(f"| {label} | " + " | ".join(cells)
              + f" | {median['amparo'] / best:.2f} | {median['amparo'] / median['cp']:.2f} | {memory:.0f} MB |", flush=True)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
