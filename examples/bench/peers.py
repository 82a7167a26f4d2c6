#!/usr/bin/env python3
"""The same find by other engines: `peers.py duckdb|polars LAKE IDS [--fold]`.

Reads identities (NAMESPACE=VALUE, one a line) from the file IDS, scans LAKE/events once, and prints the number of
matching rows of each file: a row matches where its visitor_id, crm_id or email is among the identities of that
namespace. With `--fold` values compare without regard to case.
"""

import argparse
import pathlib
import sys

COLUMNS = {"visitor-id": "visitor_id", "crm-id": "crm_id", "email": "email"}


def identities(path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {column: [] for column in COLUMNS.values()}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            namespace, value = line.rstrip("\n").split("=", 1)
            found[COLUMNS[namespace]].append(value)
    return found


def with_duckdb(lake: pathlib.Path, ids: dict[str, list[str]], fold: bool) -> list[tuple[str, int]]:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect()
    for column, values in ids.items():
        connection.register(f"ids_{column}", pa.table({"v": values}))
    match = " or ".join(
        f"{f'lower({column})' if fold else column} in (select {'lower(v)' if fold else 'v'} from ids_{column})"
        for column in ids)
    rows = connection.execute(
        f"select parse_filename(filename), count(*) from read_parquet('{lake}/events/*.parquet', filename=true) "
        f"where {match} group by 1").fetchall()
    return sorted((name, count) for name, count in rows)


def with_polars(lake: pathlib.Path, ids: dict[str, list[str]], fold: bool) -> list[tuple[str, int]]:
    import polars as pl

    def column(name: str) -> pl.Expr:
        return pl.col(name).str.to_lowercase() if fold else pl.col(name)

    def values(name: str) -> pl.Series:
        series = pl.Series(ids[name], dtype=pl.String)
        return series.str.to_lowercase() if fold else series

    match = pl.any_horizontal([column(name).is_in(values(name).implode()) for name in ids])
    rows = (
        pl.scan_parquet(f"{lake}/events/*.parquet", include_file_paths="file")
        .filter(match).group_by("file").len().collect(engine="streaming").rows())
    return sorted((pathlib.Path(name).name, count) for name, count in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=["duckdb", "polars"])
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("ids")
    parser.add_argument("--fold", action="store_true")
    options = parser.parse_args()
    find = {"duckdb": with_duckdb, "polars": with_polars}[options.engine]
    for name, count in find(options.lake, identities(options.ids), options.fold):
        sys.stdout.write(f"{name}\t{count}\n")


if __name__ == "__main__":
    main()
