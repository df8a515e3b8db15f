"""Spark against the reference function, where keys, types, names and paths are hard."""

from __future__ import annotations

import datetime as dt
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest
from polars.testing import assert_frame_equal

import amaas_kit.partition.engines.spark
from amaas_kit.errors import EngineError
from amaas_kit.partition import Plan, Result, engine
from amaas_kit.partition.cut import fit
from amaas_kit.partition.engines.spark import Spark, spark_sql
from amaas_kit.partition.source import Table
from tests.partition.every_plan import PLANS, hard_table

EXTREMES = [-(2**63), -(2**63) + 1, -(2**31), -1, 0, 1, 2**31 - 1, 2**31, 2**63 - 1, None]
LONG = "é𝄞x" * 15_000
TEXTS = ["", "\0", "'", "\\", "\\'", "${user}", "\n", "é", "\uffff", "𝄞", LONG, LONG + "y", None]
MANY = range(-5_000, 5_000, 25)
"""More bounds than are compared one after the other."""


@pytest.fixture(scope="module")
def spark() -> Iterator[Spark]:
    running = Spark("local[2]")
    state = running.available()
    if not state:
        pytest.skip(f"{state.reason}; {state.command}")
    with running:
        yield running


def table(**columns: Any) -> pl.DataFrame:
    """Columns, and the rows' numbers."""
    return pl.DataFrame(columns).with_row_index("row").cast({"row": pl.Int64})


def check(spark: Spark, rows: pl.DataFrame, plan: Plan, folder: Path) -> Result:
    """Cut a table: each row must be in the part of the reference function, with all its values."""
    rows.write_parquet(folder / "rows.parquet")
    return check_source(spark, rows, plan, folder / "rows.parquet", folder / "parts")


def check_source(
    spark: Spark, rows: pl.DataFrame, plan: Plan, source: Path, target: Path
) -> Result:
    result = spark.run(plan, source, target)
    position = pl.arange(len(rows), eager=True).to_numpy()
    numbers = fit(plan, Table.open(source)).part_numbers(rows, position)
    expected = rows.select(pl.Series("part", numbers), pl.all()).sort("row")
    assert_frame_equal(result.scan().collect().sort("row"), expected, check_exact=True)
    return result


def stored_types(result: Result, column: str) -> set[pl.DataType]:
    files = [result.path / file.path for part in result.parts for file in part.files]
    return {pl.read_parquet_schema(file)[column] for file in files}


@pytest.mark.parametrize("kind", [pl.Int64(), pl.Datetime("us"), pl.Datetime("us", "Asia/Tokyo")])
def test_the_hash_of_extreme_numbers_and_times(spark, kind, tmp_path):
    keys = pl.Series(EXTREMES, dtype=pl.Int64).cast(kind)
    check(spark, table(key=keys), Plan.hash("key", 7, nulls=6), tmp_path)


def test_ranges_of_extreme_numbers(spark, tmp_path):
    bounds = [-(2**63) + 1, -1, 0, 2**63 - 1]
    check(spark, table(key=EXTREMES), Plan.range("key", bounds, nulls=4), tmp_path)


@pytest.mark.parametrize("unit", ["ms", "ns"])
def test_times_of_units_that_spark_does_not_have(spark, unit, tmp_path):
    ticks = pl.Series([0, -1, 1, 999, 1000, 1001, -999, -1000, -1001, None], dtype=pl.Int64)
    kind = pl.Datetime(unit, "UTC")
    result = check(spark, table(key=ticks.cast(kind)), Plan.hash("key", 5, nulls=1), tmp_path)
    assert "key: Datetime" in result.notes[0]
    assert "types again" in result.notes[1]
    assert stored_types(result, "key") == {kind}


def test_windows_across_1970_and_over_days(spark, tmp_path):
    start = dt.datetime(1969, 12, 31, 23, 59, 59)
    rows = table(
        at=pl.Series(range(-1_000_000, 1_000_000, 99_991), dtype=pl.Int64).cast(pl.Datetime("us"))
    )
    rows = rows.with_columns(day=pl.col("at").dt.date())
    check(spark, rows, Plan.window("at", start, dt.timedelta(milliseconds=250)), tmp_path)


def test_text_by_its_bytes_whatever_it_holds(spark, tmp_path):
    rows = table(key=TEXTS)
    check(spark, rows, Plan.hash("key", 5, nulls=3), tmp_path)
    bounds = sorted((text for text in TEXTS if text is not None), key=str.encode)
    result = spark.run(Plan.range("key", bounds), tmp_path / "rows.parquet", tmp_path / "ranges")
    parts = result.scan().sort("row").collect()["part"].to_list()
    assert parts == [0 if text is None else bounds.index(text) + 1 for text in TEXTS]


def test_many_bounds(spark, tmp_path):
    keys = [*range(-5_100, 5_100, 7), *MANY]
    check(spark, table(key=keys), Plan.range("key", list(MANY)), tmp_path)


def test_bounds_of_real_numbers(spark, tmp_path):
    keys = [-0.0, 0.0, 5e-324, -5e-324, float("inf"), float("-inf"), 1.7e308, 0.1, None]
    bounds = [-1.7e308, -5e-324, 0, 5e-324, 0.1, 1.7e308]
    rows = table(key=keys, single=pl.Series(keys, dtype=pl.Float32))
    check(spark, rows, Plan.range("key", bounds).then(Plan.round_robin(1)), tmp_path)


TYPES: dict[str, pl.Series] = {
    "int8": pl.Series([-128, 127, None], dtype=pl.Int8),
    "uint8": pl.Series([0, 255, None], dtype=pl.UInt8),
    "uint16": pl.Series([0, 65_535, None], dtype=pl.UInt16),
    "uint32": pl.Series([0, 2**32 - 1, None], dtype=pl.UInt32),
    "uint64": pl.Series([0, 2**64 - 1, None], dtype=pl.UInt64),
    "int128": pl.Series([-(2**127), 2**127 - 1, None], dtype=pl.Int128),
    "float32": pl.Series([-0.0, float("nan"), None], dtype=pl.Float32),
    "float64": pl.Series([5e-324, float("-inf"), None], dtype=pl.Float64),
    "boolean": pl.Series([True, False, None]),
    "text": pl.Series(["", "\0", None]),
    "binary": pl.Series([b"", b"\xff\0", None]),
    "decimal": pl.Series([Decimal("-99999.99"), Decimal("0.01"), None], dtype=pl.Decimal(38, 2)),
    "date": pl.Series([-(2**31), 2**31 - 1, None], dtype=pl.Int32).cast(pl.Date),
    "time": pl.Series([dt.time(), dt.time(23, 59, 59, 999_999), None]),
    "naive": pl.Series([-(2**63), 2**63 - 1, None], dtype=pl.Int64).cast(pl.Datetime("us")),
    "zoned": pl.Series([-1, 1, None], dtype=pl.Int64).cast(pl.Datetime("us", "Europe/Berlin")),
    "milliseconds": pl.Series([-(2**63), 2**63 - 1, None], dtype=pl.Int64).cast(pl.Datetime("ms")),
    "nanoseconds": pl.Series([-(2**63), 2**63 - 1, None], dtype=pl.Int64).cast(pl.Datetime("ns")),
    "duration": pl.Series([-1, 2**62, None], dtype=pl.Int64).cast(pl.Duration("ns")),
    "category": pl.Series(["a", "é", None], dtype=pl.Categorical),
    "enum": pl.Series(["b", "a", None], dtype=pl.Enum(["b", "a"])),
    "nothing": pl.Series([None, None, None], dtype=pl.Null),
    "list": pl.Series([[], [None, 1], None], dtype=pl.List(pl.UInt32)),
    "list of times": pl.Series([[dt.time(1)], [None], None], dtype=pl.List(pl.Time)),
    "array": pl.Series([[1, 2], [None, 3], None], dtype=pl.Array(pl.Int8, 2)),
    "struct": pl.Series(
        [{"a b": 1, "t": dt.timedelta(1)}, {"a b": None, "t": None}, None],
        dtype=pl.Struct({"a b": pl.Int16, "t": pl.Duration("us")}),
    ),
}


def test_every_type_comes_back_as_it_was(spark, tmp_path):
    rows = table(**TYPES)
    result = check(spark, rows, Plan.hash("row", 2), tmp_path)
    assert len(result.notes) == 2
    assert stored_types(result, "time") == {pl.Time()}


def test_what_spark_reads_exactly_is_not_copied(spark, tmp_path):
    copied = (
        "int128",
        "time",
        "milliseconds",
        "nanoseconds",
        "duration",
        "list of times",
        "struct",
    )
    rows = table(**{name: column for name, column in TYPES.items() if name not in copied})
    assert check(spark, rows, Plan.hash("row", 2), tmp_path).notes == ()


NAMES = ["a", "A", "a b", "a.b", "`", "``x`", "", "x,;{}()\n\t=", "Part", "position", "é𝄞", "'\\"]


def test_names_of_columns(spark, tmp_path):
    rows = table(**{name: [i, i + 1, i + 2] for i, name in enumerate(NAMES)})
    plan = Plan.hash("`", 1)
    for name in NAMES[1:4]:
        plan = plan.then(Plan.hash(name, 1))
    for name in ("a", "``x`", "x,;{}()\n\t=", "'\\"):
        folder = tmp_path / str(NAMES.index(name))
        folder.mkdir()
        check(spark, rows, plan.then(Plan.hash(name, 3)), folder)


def test_a_column_named_like_sparks_own(spark, tmp_path):
    rows = table(_metadata=[5, 6, 7], position=[1, 2, 3])
    assert check(spark, rows, Plan.round_robin(2), tmp_path).notes


def test_names_of_files_and_folders(spark, tmp_path):
    folder = tmp_path / "a b%20[x]#é'\\*{1}" / "part=7"
    folder.mkdir(parents=True)
    rows = table(key=list(range(40)))
    for number, name in enumerate(["a b.parquet", "c%20.PARQUET", "d'[1]\\.pq", "é+&.parquet"]):
        rows.slice(number * 10, 10).write_parquet(folder / name)
    target = tmp_path / "t %20[y]*:1"
    assert check_source(spark, rows, Plan.round_robin(7), folder, target).notes == ()


def test_a_colon_in_a_files_name(spark, tmp_path):
    rows = table(key=list(range(9)))
    rows.write_parquet(tmp_path / "12:30.parquet")
    result = check_source(
        spark, rows, Plan.round_robin(2), tmp_path / "12:30.parquet", tmp_path / "parts"
    )
    assert "12:30.parquet" in result.notes[0]


def test_the_parts_of_another_cut_are_a_table(spark, tmp_path):
    hard_table(500, seed=1).rename({"row_id": "row"}).write_parquet(tmp_path / "t.parquet")
    first = spark.run(Plan.hash("user", 5), tmp_path / "t.parquet", tmp_path / "first")
    rows = Table.open(first.path).scan().collect()
    check_source(spark, rows, Plan.round_robin(3), first.path, tmp_path / "second")


def test_csv_is_converted_so_that_empty_text_and_null_stay_apart(spark, tmp_path):
    text = 'row,name,note\n0,"a\nb",""\n1,,"say ""x"""\n2,"",\n3,"c,d","\r\n"\n'
    (tmp_path / "t.csv").write_bytes(text.encode())
    rows = table(name=["a\nb", None, "", "c,d"], note=["", 'say "x"', None, "\r\n"])
    result = check_source(spark, rows, Plan.hash("name", 3), tmp_path / "t.csv", tmp_path / "parts")
    assert "takes an empty text for null" in result.notes[0]


def test_a_part_is_one_file_and_nothing_else_is_left(spark, tmp_path):
    hard_table(5_000, seed=2).write_parquet(tmp_path / "t.parquet")
    result = spark.run(PLANS["hash of text"], tmp_path / "t.parquet", tmp_path / "parts")
    assert [len(part.files) for part in result.parts] == [1] * 5
    named = {str(file.path) for part in result.parts for file in part.files}
    there = {p.relative_to(result.path).as_posix() for p in result.path.rglob("*") if p.is_file()}
    assert there == named | {"manifest.json"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "t.parquet"]


def test_a_failure_is_said_in_one_line_and_the_log_has_the_rest(spark, tmp_path, monkeypatch):
    overflows = "SELECT key, key * 4L AS part FROM source"
    monkeypatch.setattr(amaas_kit.partition.engines.spark, "selects", lambda cut: [overflows])
    table(key=[2**62, 0]).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(EngineError, match="ARITHMETIC_OVERFLOW") as raised:
        spark.run(Plan.hash("key", 2), tmp_path / "t.parquet", tmp_path / "parts")
    assert "\n" not in raised.value.seen
    log = Path(raised.value.fix.rpartition(" ")[2])
    assert "ARITHMETIC_OVERFLOW" in log.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_without_py4j_it_says_what_to_install(monkeypatch):
    if not Spark().available():
        pytest.skip("Spark is not here")
    monkeypatch.setitem(sys.modules, "py4j", None)
    state = Spark().available()
    assert not state
    assert "py4j" in state.reason
    assert "amaas-kit[spark]" in state.command


@pytest.mark.parametrize("name", ["spark", "flink", "hadoop"])
def test_every_engine_takes_the_same_sizes_of_memory(name):
    for memory in ("512m", "1g", "1G", "1024M"):
        assert engine(name, memory=memory).memory == memory
    for memory in (1, None, "1", "0g", "1k", "1 g", "1gb"):
        with pytest.raises(EngineError, match=re.escape(f"memory={memory!r}")) as caught:
            engine(name, memory=memory)
        assert 'memory="1g"' in caught.value.fix


def test_the_sql_can_be_read():
    rows = pl.DataFrame({"user": [1, 2], "name": ["a", "b"]})
    cut = fit(Plan.range("user", [2]), as_table(rows))
    assert spark_sql(cut) == (
        "SELECT /*+ REBALANCE(part) */ `user`, `name`,\n"
        "  CASE WHEN `user` IS NULL THEN 0L ELSE "
        "CASE WHEN CAST(`user` AS BIGINT) < 2L THEN 0L ELSE 1L END END AS part\n"
        "FROM source"
    )


def as_table(rows: pl.DataFrame) -> Table:
    return Table(Path("rows.parquet"), (), "parquet", rows.schema, len(rows))


def test_progress_rises_to_the_end(spark, tmp_path):
    hard_table(5_000, seed=3).write_parquet(tmp_path / "t.parquet")
    told: list[tuple[float | None, str]] = []
    spark.run(
        PLANS["columns within hash within window"],
        tmp_path / "t.parquet",
        tmp_path / "parts",
        progress=lambda share, doing: told.append((share, doing)),
    )
    shares = [share for share, _ in told if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5
    assert "tasks of Spark" in " ".join(doing for _, doing in told)


def test_ctrl_c_cancels_the_job_and_the_session_goes_on(spark, tmp_path):
    hard_table(50_000, seed=8).write_parquet(tmp_path / "t.parquet")
    spark.run(PLANS["round robin"], tmp_path / "t.parquet", tmp_path / "parts")
    pid = spark_pid(spark)

    def interrupt(share: float | None, doing: str) -> None:
        if "tasks of Spark" in doing:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        spark.run(
            PLANS["hash of text"], tmp_path / "t.parquet", tmp_path / "other", progress=interrupt
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "t.parquet"]
    spark.run(PLANS["hash of text"], tmp_path / "t.parquet", tmp_path / "other")
    assert spark_pid(spark) == pid


def spark_pid(spark: Spark) -> int:
    """The one Java process that this process started."""
    running = (p for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE)
    (child,) = (p for p in running if "java" in p.name())
    return child.pid


def test_a_java_process_that_dies_is_named_and_the_next_run_starts_another(spark, tmp_path):
    hard_table(50_000, seed=8).write_parquet(tmp_path / "t.parquet")

    def kill(share: float | None, doing: str) -> None:
        if "tasks of Spark" in doing:
            psutil.Process(spark_pid(spark)).kill()

    plan = PLANS["hash of text"]
    with pytest.raises(EngineError, match=r"Java ended with status -9(.|\n)*spark-.*\.log"):
        spark.run(plan, tmp_path / "t.parquet", tmp_path / "parts", progress=kill)
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
    assert spark.run(plan, tmp_path / "t.parquet", tmp_path / "parts").rows == 50_000


BESIDE = """
import sys
from pyspark.sql import SparkSession
from amaas_kit.partition import Plan, engine
quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false"}
own = SparkSession.builder.master("local[1]").appName("own").config(map=quiet).getOrCreate()
print("begins", flush=True)
print("begins", file=sys.stderr, flush=True)
with engine("spark", master="local[1]") as running:
    running.run(Plan.hash("user", 3), sys.argv[1], sys.argv[2])
print(own.range(5).count(), own.sparkContext.appName, flush=True)
"""


def test_a_session_of_pyspark_stays_as_it_is_and_nothing_is_printed(spark, tmp_path):
    hard_table(500, seed=9).write_parquet(tmp_path / "t.parquet")
    command = [sys.executable, "-c", BESIDE, str(tmp_path / "t.parquet"), str(tmp_path / "parts")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.splitlines() == ["begins", "5 own"]
    assert done.stderr.partition("begins\n")[2] == ""
