#!/bin/sh
# Measures `amparo find` beside DuckDB and Polars on the measuring lake (see README.md).
# Needs python3 with venv, a network for PyPI at first use, 3 GB of disk and 4 GB of memory.
# AMPARO_BENCH_DIR: where lake and virtual environment lie, outside the checkout.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
dir=${AMPARO_BENCH_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/amparo-bench}
mkdir -p "$dir"
if [ ! -x "$dir/venv/bin/python" ]; then
    python3 -m venv "$dir/venv"
    "$dir/venv/bin/pip" install --quiet pyarrow polars duckdb numpy
fi
python=$dir/venv/bin/python
for kind in spread clustered; do
    if [ ! -e "$dir/$kind/ids-100000.txt" ]; then
        flag=; [ $kind = clustered ] && flag=--clustered
        "$python" "$here/lake.py" "$dir/$kind" $flag
    fi
done
if [ -z "${AMPARO:-}" ]; then
    cargo build --release --manifest-path "$here/../../Cargo.toml"
    AMPARO=${CARGO_TARGET_DIR:-$here/../../target}/release/amparo
fi
for kind in spread clustered; do
    echo "lake: $kind"
    "$python" "$here/compare.py" "$AMPARO" "$dir/$kind" "$@"
done
