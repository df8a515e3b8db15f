"""Partitioning speed and memory: the kit's local engine beside other ways to write the same parts.

    python benchmarks/partition.py                        # all, about a quarter of an hour
    python benchmarks/partition.py --rows 2000000 --repeats 3

Every contender cuts the same event table by the same hash of `user_id` into 8 parts. Each
measurement runs in a process of its own, the contenders in turn, round after round and every other
round backwards, so that a machine that slows down slows all of them. The source was read before, so
it is in memory as far as there is room; what a run has written is on the disk before the next one
begins. The parts that were written are counted: who computes something else would show.

Seconds are those of the cut itself, in a process that has loaded its packages; those of the whole
process stand beside them. Memory is the most that the process and its children held at a moment
(their resident sets, looked at every 20 ms), Python and all packages included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

PARTS = 8
P, A, B = 2147483647, 1103515245, 12345
PART = f"(user_id % {P} + {P}) % {P} * {A} + {B}"
"""The reference function's number before its last two remainders, as all these engines write it."""

PEER = "polars"
"""What the others are compared with."""

MOST_TO_POLARS, MOST_TO_COPY, MOST_TO_LINEAR = 1.6, 3.5, 1.1
MOST_MEGABYTES = {2_000_000: 500, 24_000_000: 800}
"""The goals: seconds in relation to others', and memory by rows."""

LOOK_SECONDS = 0.02

PACKAGES = ("amaas-kit", "polars", "numpy", "duckdb", "pyarrow", "pyspark")

Cut = Callable[[], object]
"""Writes the parts."""


def kit(source: Path, target: Path) -> Cut:
    """The local engine, as a user calls it: manifest, checksums and keys of the parts included."""
    from amaas_kit.partition import Plan, engine

    return lambda: engine("local").run(Plan.hash("user_id", PARTS), source, target)


def verify(source: Path, target: Path) -> Cut:
    """Holding the parts against their table, once they are there."""
    from amaas_kit.partition import verify

    kit(source, target)()
    os.sync()

    def check() -> None:
        assert verify(target, source).ok

    return check


def copy(source: Path, target: Path) -> Cut:
    """`cp`: the same bytes, and no work on them."""
    target.mkdir()
    return lambda: subprocess.run(["cp", str(source), f"{target}/"], check=True)


def copy_and_sync(source: Path, target: Path) -> Cut:
    """`cp`, and waiting until the bytes are on the disk."""
    copied = copy(source, target)

    def copy_to_disk() -> None:
        copied()
        subprocess.run(["sync", str(target / source.name)], check=True)

    return copy_to_disk


def polars(source: Path, target: Path) -> Cut:
    """Polars alone: the streaming sink into parts, with the codec of the kit."""
    import polars as pl

    number = ((pl.col("user_id").cast(pl.Int64) % P + P) % P * A + B) % P % PARTS
    by_part = pl.PartitionBy(target, key="part", include_key=False)

    def cut() -> None:
        rows = pl.scan_parquet(source).with_columns(number.alias("part"))
        rows.sink_parquet(by_part, compression="lz4", mkdir=True, engine="streaming")

    return cut


def duckdb(source: Path, target: Path) -> Cut:
    """DuckDB's COPY with PARTITION_BY, and the codec of the kit."""
    import duckdb

    connection = duckdb.connect()
    statement = (
        f"COPY (SELECT *, ({PART}) % {P} % {PARTS} AS part FROM read_parquet('{source}')) "
        f"TO '{target}' (FORMAT parquet, PARTITION_BY (part), COMPRESSION lz4)"
    )
    return lambda: connection.execute(statement)


def arrow(source: Path, target: Path) -> Cut:
    """`pyarrow.dataset.write_dataset`, the parts computed by NumPy batch after batch."""
    import pyarrow as pa
    from pyarrow import dataset

    rows = dataset.dataset(source)
    schema = rows.schema.append(pa.field("part", pa.int64()))

    def numbered() -> Iterator[pa.RecordBatch]:
        for batch in rows.to_batches():
            users = batch["user_id"].to_numpy().astype("int64")
            parts = ((users % P + P) % P * A + B) % P % PARTS
            yield pa.record_batch([*batch.columns, pa.array(parts)], schema=schema)

    written = dataset.ParquetFileFormat()
    partitioning = dataset.partitioning(pa.schema([("part", pa.int64())]), flavor="hive")
    return lambda: dataset.write_dataset(
        numbered(),
        target,
        schema=schema,
        format=written,
        file_options=written.make_write_options(compression="lz4"),
        partitioning=partitioning,
    )


def spark(source: Path, target: Path) -> Cut:
    """Spark on all cores of this machine, in a session that has done the same cut before."""
    from pyspark.sql import SparkSession

    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    began = time.perf_counter()
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.log.level": "ERROR",
    }
    session = SparkSession.builder.master("local[*]").config(map=settings).getOrCreate()
    STARTED["start"] = time.perf_counter() - began

    def cut() -> None:
        rows = session.read.parquet(str(source))
        rows = rows.selectExpr("*", f"({PART}) % {P} % {PARTS} AS part")
        rows.write.partitionBy("part").option("compression", "lz4_raw").parquet(str(target))

    began = time.perf_counter()
    cut()
    STARTED["first"] = time.perf_counter() - began
    shutil.rmtree(target)
    os.sync()
    return cut


STARTED: dict[str, float] = {}
"""Seconds that a contender spent before it was measured, where that is worth telling."""


@dataclass(frozen=True)
class Contender:
    """A way to write the parts, what it is called, and the package that it needs."""

    title: str
    cut: Callable[[Path, Path], Cut]
    module: str


CONTENDERS = {
    "kit": Contender("the kit's local engine, with its manifest", kit, "polars"),
    "polars": Contender("Polars sink with PartitionBy", polars, "polars"),
    "copy": Contender("cp", copy, "os"),
    "copy-sync": Contender("cp, then sync", copy_and_sync, "os"),
    "duckdb": Contender("DuckDB COPY … PARTITION_BY", duckdb, "duckdb"),
    "arrow": Contender("pyarrow.dataset.write_dataset", arrow, "pyarrow"),
    "spark": Contender("Spark local[*], second cut of a session", spark, "pyspark"),
    "verify": Contender("the kit's verify, of parts that are there", verify, "polars"),
}


@dataclass(frozen=True)
class Measured:
    """One run: seconds of the cut and of the whole process, bytes of memory at the most."""

    seconds: float
    whole: float
    peak: int
    before: dict[str, float]


def measure(name: str, source: Path, target: Path) -> dict[str, object]:
    """Time one contender, in this process."""
    cut = CONTENDERS[name].cut(source, target)
    began = time.perf_counter()
    cut()
    return {"seconds": time.perf_counter() - began, "before": STARTED}


def measure_apart(name: str, source: Path, target: Path) -> Measured:
    """Time one contender in a process of its own, and look at its memory."""
    os.sync()
    command = [sys.executable, __file__, "--one", name, str(source), str(target)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        watch = Watch(child.pid)
        watch.start()
        told, complaint = child.communicate()
        whole = time.perf_counter() - began
        watch.join()
    if child.returncode:
        said = complaint.strip().splitlines() or [f"exit status {child.returncode}"]
        raise SystemExit(f"{CONTENDERS[name].title}: {said[-1]}")
    result = json.loads(told.splitlines()[-1])
    return Measured(result["seconds"], whole, watch.peak, result["before"])


class Watch(threading.Thread):
    """Looks at the memory of a process and its children until it ends."""

    def __init__(self, number: int) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.peak = 0

    def run(self) -> None:
        """Look, as long as there is something to see."""
        import psutil

        with_children = psutil.Process(self.number)
        while with_children.is_running() and with_children.status() != psutil.STATUS_ZOMBIE:
            try:
                family = [with_children, *with_children.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self.peak = max(self.peak, sum(map(resident, family)))
            time.sleep(LOOK_SECONDS)


def resident(process: object) -> int:
    """The bytes that a process holds; none for one that has ended."""
    import psutil

    try:
        return int(process.memory_info().rss)  # type: ignore[attr-defined]
    except psutil.Error:
        return 0


def rows_of_parts(target: Path) -> list[int]:
    """How many rows each part has, by its number."""
    import polars as pl

    return [
        pl.scan_parquet(target / f"part={part}" / "*.parquet", hive_partitioning=False)
        .select(pl.len())
        .collect()
        .item()
        for part in range(PARTS)
    ]


def rounds(source: Path, repeats: int, notes: list[str]) -> dict[str, list[Measured]]:
    """Measure all contenders that are installed, round after round."""
    here = [name for name in CONTENDERS if find_spec(CONTENDERS[name].module)]
    notes += [
        f"{one.title}: not measured, it is not installed (extra: bench)"
        for name, one in CONTENDERS.items()
        if name not in here
    ]
    results: dict[str, list[Measured]] = {name: [] for name in here}
    sizes: dict[str, list[int]] = {}
    for turn in range(repeats):
        for name in here if turn % 2 == 0 else reversed(here):
            target = source.parent / "parts"
            result = measure_apart(name, source, target)
            results[name].append(result)
            print(f"{source.stem} round {turn} {name}: {result}", file=sys.stderr, flush=True)
            if not name.startswith("copy"):
                sizes[name] = rows_of_parts(target)
            shutil.rmtree(target)
    for name, found in sizes.items():
        if found != sizes["kit"]:
            raise SystemExit(f"{CONTENDERS[name].title}: rows {found}, the kit {sizes['kit']}")
    return results


def median(results: list[Measured], what: str = "seconds") -> float:
    """The median of a figure over the rounds."""
    return statistics.median(getattr(result, what) for result in results)


def ratio(results: dict[str, list[Measured]], name: str, other: str) -> float:
    """The median over the rounds of how much longer one takes than another in the same round."""
    return statistics.median(
        one.seconds / two.seconds for one, two in zip(results[name], results[other], strict=True)
    )


def table(rows: int, source: Path, results: dict[str, list[Measured]]) -> list[str]:
    """The figures of one size as Markdown."""
    lines = [
        f"## {rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB",
        "",
        "| | seconds | least to most | of plain Polars | whole process, s | memory, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, found in results.items():
        seconds = [result.seconds for result in found]
        lines.append(
            f"| {CONTENDERS[name].title} | {median(found):.2f} "
            f"| {min(seconds):.2f} to {max(seconds):.2f} | {ratio(results, name, PEER):.2f} "
            f"| {median(found, 'whole'):.2f} | {median(found, 'peak') / 1e6:,.0f} |"
        )
    if "spark" in results:
        start = statistics.median(result.before["start"] for result in results["spark"])
        first = statistics.median(result.before["first"] for result in results["spark"])
        lines += [
            "",
            f"Spark's session starts in {start:.1f} s; its first cut takes {first:.1f} s.",
        ]
    return lines


def in_words(rows: int, results: dict[str, list[Measured]]) -> list[str]:
    """What the figures of one size mean, and whether the goals are reached."""
    to_polars, to_copy = ratio(results, "kit", "polars"), ratio(results, "kit", "copy-sync")
    polars_to_copy = ratio(results, "polars", "copy-sync")
    checked = ratio(results, "verify", "kit")
    peak = median(results["kit"], "peak") / 1e6
    lines = [
        f"- The kit takes {to_polars:.2f} times as long as the plain sink, which writes the same "
        f"files: the rest is reading the parts back once for rows, keys and checksums. Goal: "
        f"{MOST_TO_POLARS} at most, {reached(to_polars <= MOST_TO_POLARS)}.",
        f"- It takes {to_copy:.1f} times as long as `cp` and `sync`, which decode nothing and "
        f"find no part, and {ratio(results, 'kit', 'copy'):.1f} times as long as `cp` alone, which "
        f"leaves the bytes in memory; for the plain sink it is {polars_to_copy:.1f} and "
        f"{ratio(results, 'polars', 'copy'):.1f}. Goal: {MOST_TO_COPY} at most, "
        f"{reached(to_copy <= MOST_TO_COPY)}.",
        f"- `verify`, which computes each row's part anew and reads table and parts, takes "
        f"{checked:.1f} times as long as the cut.",
    ]
    if rows in MOST_MEGABYTES:
        most = MOST_MEGABYTES[rows]
        lines.append(f"- Memory: {peak:,.0f} MB. Goal: {most} at most, {reached(peak <= most)}.")
    return lines


def growth(measured: dict[int, dict[str, list[Measured]]]) -> list[str]:
    """How time and memory grow from the smallest table to the largest."""
    few, many = min(measured), max(measured)
    if few == many:
        return []
    lines = [
        f"## From {few:,} to {many:,} rows",
        "",
        f"The table grows {many / few:.1f} times.",
        "",
    ]
    lines += ["| | seconds grow … times | memory grows … times |", "|---|---:|---:|"]
    for name, small in measured[few].items():
        large = measured[many][name]
        peaks = median(large, "peak") / median(small, "peak")
        lines.append(
            f"| {CONTENDERS[name].title} | {median(large) / median(small):.1f} | {peaks:.2f} |"
        )
    grown = median(measured[many]["kit"]) / median(measured[few]["kit"]) / (many / few)
    verdict = (
        f"A row of the large table takes the kit {grown:.2f} times as long as one of the small. "
        f"Goal: time linear in rows, {MOST_TO_LINEAR} at most, {reached(grown <= MOST_TO_LINEAR)}."
    )
    return [*lines, "", verdict, ""]


def reached(well: bool) -> str:
    """The verdict on a goal."""
    return "reached" if well else "not reached"


def compare(sizes: list[int], repeats: int, folder: Path) -> str:
    """Measure tables of these sizes and return the figures as Markdown."""
    from machine import describe

    from amaas_kit.data import write_events

    lines = ["# Partitioning: speed and memory", "", describe(PACKAGES), ""]
    lines += [
        f"The event table, cut by a hash of `user_id` into {PARTS} parts, lz4; medians of "
        f"{repeats} rounds, ratios within a round.",
        "",
    ]
    measured = {}
    notes: list[str] = []
    for rows in sizes:
        source = folder / f"events-{rows}.parquet"
        write_events(source, rows=rows, seed=7)
        source.read_bytes()
        measured[rows] = rounds(source, repeats, notes)
        lines += [*table(rows, source, measured[rows]), "", *in_words(rows, measured[rows]), ""]
        source.unlink()
    lines += growth(measured)
    return "\n".join([*lines, *(f"{note}.\n" for note in dict.fromkeys(notes))]).rstrip() + "\n"


def main() -> None:
    """Run the comparison, or one measurement of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000_000, 24_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="also write the tables to this file")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, source, target = arguments.one
        print(json.dumps(measure(name, Path(source), Path(target))))
        return
    with tempfile.TemporaryDirectory(prefix="amaas-partition-") as folder:
        text = compare(arguments.rows, arguments.repeats, Path(folder))
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
