#!/usr/bin/env python3
"""Writes the measuring lake: `lake.py DIR [--files N] [--rows N] [--clustered]`.

`DIR/events/` gets 8 files of 1,000,000 rows as pyarrow writes them by default (snappy, dictionaries that
overflow into plain pages, no page index), in row groups of 131,072 rows. 200,000 subjects are spread evenly,
so that each has about 40 rows all over the lake: every file and every row group holds something of everybody.
With `--clustered` the rows of all files are sorted by visitor: a subject's rows then lie in one or two row groups.

`DIR/ids-1000.txt` and `DIR/ids-100000.txt` hold identities of as many subjects in each of three namespaces, one
NAMESPACE=VALUE a line. Everything is drawn from fixed seeds: two runs write the same values.
"""

import argparse
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SUBJECTS = 200_000
ROW_GROUP = 131_072
CRM_SHARE = 0.35  # rows on which crm_id and email are not null: the visitor was logged in


def hexes(numbers: np.ndarray, digits: int) -> np.ndarray:
    return np.array([f"{n:0{digits}x}" for n in numbers.tolist()], dtype=object)


class Subjects:
    """What belongs to a person on every row."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        high = draw.integers(0, 2**63, SUBJECTS, dtype=np.uint64)
        low = draw.integers(0, 2**63, SUBJECTS, dtype=np.uint64)
        self.visitor = np.array([f"{a:016x}{b:016x}" for a, b in zip(high.tolist(), low.tolist())], dtype=object)
        digits = draw.integers(10**18, 9 * 10**18, (SUBJECTS, 2), dtype=np.int64)
        self.ecid = np.array([f"{a:019d}{b:019d}" for a, b in digits.tolist()], dtype=object)
        self.crm = np.array([f"ACME-{n:08d}" for n in draw.permutation(SUBJECTS)], dtype=object)
        self.email = np.array([f"user{n}@mail{n % 50}.example" for n in range(SUBJECTS)], dtype=object)


def take(values: list[str], draw: np.random.Generator, rows: int) -> pa.Array:
    return pa.array(np.array(values, dtype=object)[draw.integers(0, len(values), rows)])


def table(subjects: Subjects, who: np.ndarray, number: int) -> pa.Table:
    """The rows of one file: `who` says whose each is."""
    rows = len(who)
    draw = np.random.default_rng(1000 + number)
    known = draw.random(rows) < CRM_SHARE
    micros = 1_760_000_000_000_000 + number * 86_400_000_000 + np.sort(draw.integers(0, 86_400_000_000, rows))
    ips = draw.integers(0, 256, (rows, 4))
    pages = draw.integers(0, 50_000, rows)
    sessions = draw.integers(0, 2**62, rows)
    revenue = np.round(draw.gamma(2.0, 40.0, rows), 2)
    device = pa.StructArray.from_arrays(
        [take(["iOS 17", "Android 14", "Windows 11", "macOS 15", "Linux"], draw, rows),
         take(["Safari", "Chrome", "Firefox", "Edge"], draw, rows)],
        ["os", "browser"],
    )
    props = pa.StructArray.from_arrays(
        [take([f"campaign-{n}" for n in range(200)], draw, rows), device], ["campaign", "device"])
    counts = draw.integers(0, 4, rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    tags = pa.ListArray.from_arrays(pa.array(offsets), take([f"tag{n}" for n in range(40)], draw, int(offsets[-1])))
    agents = [f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{n % 40 + 90}.0.{n}.0 Safari/537.36"
              for n in range(2000)]
    return pa.table({
        "hit_id": pa.array(hexes(draw.integers(0, 2**63, rows), 16)),
        "ts": pa.array(micros, pa.timestamp("us", tz="UTC")),
        "visitor_id": pa.array(subjects.visitor[who]),
        "ecid": pa.array(subjects.ecid[who]),
        "crm_id": pa.array(subjects.crm[who], mask=~known),
        "email": pa.array(subjects.email[who], mask=~known),
        "ip": pa.array([f"{a}.{b}.{c}.{d}" for a, b, c, d in ips.tolist()]),
        "user_agent": take(agents, draw, rows),
        "page_url": pa.array([f"https://shop.example/p/{p}?session={s:x}"
                              for p, s in zip(pages.tolist(), sessions.tolist())]),
        "referrer": take([f"https://ref{n}.example/" for n in range(500)], draw, rows),
        "product_sku": take([f"SKU-{n:05d}" for n in range(5000)], draw, rows),
        "revenue": pa.array(revenue),
        "quantity": pa.array(draw.integers(1, 9, rows).astype(np.int32)),
        "props": props,
        "tags": tags,
        "country": take(["DE", "FR", "US", "GB", "ES", "IT", "NL", "PL"], draw, rows),
    })


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--clustered", action="store_true")
    options = parser.parse_args()

    subjects = Subjects()
    events = options.dir / "events"
    events.mkdir(parents=True, exist_ok=True)
    everyone = np.random.default_rng(2).integers(0, SUBJECTS, options.files * options.rows)
    if options.clustered:
        everyone = everyone[np.argsort(subjects.visitor[everyone], kind="stable")]
    for number in range(options.files):
        who = everyone[number * options.rows:(number + 1) * options.rows]
        pq.write_table(table(subjects, who, number), events / f"part-{number:05d}.parquet", row_group_size=ROW_GROUP)

    order = np.random.default_rng(3).permutation(SUBJECTS)
    for count in (10, 1000, 100_000):
        with open(options.dir / f"ids-{count}.txt", "w", encoding="utf-8") as out:
            for subject in order[:count]:
                out.write(f"visitor-id={subjects.visitor[subject]}\n")
                out.write(f"crm-id={subjects.crm[subject]}\n")
                out.write(f"email={subjects.email[subject]}\n")


if __name__ == "__main__":
    main()
