"""One plan, the same parts on every engine: ids and values of every row."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError
from amaas_kit.partition import Engine, Result, engine, verify
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table
from tests.partition.every_plan import PLANS, hard_table

ROWS = 2_000_000 if os.environ.get("AMAAS_SOAK") == "1" else 20_000

SETTINGS = {"spark": {"master": "local[2]"}}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for number, rows in enumerate(hard_table(ROWS, seed=4).iter_slices(ROWS // 2 + 1)):
        rows.write_parquet(folder / f"{number}.parquet", row_group_size=50_000)
    return folder


@pytest.fixture(scope="module")
def local_parts(source, tmp_path_factory) -> dict[str, Result]:
    """The parts of the local engine, each row of them held against the reference function."""
    results = {}
    for number, (name, plan) in enumerate(PLANS.items()):
        results[name] = engine("local").run(
            plan, source, tmp_path_factory.mktemp("local") / str(number)
        )
        check_every_row(results[name], source)
    return results


def check_every_row(result: Result, source: Path) -> None:
    rows = Table.open(source).scan().collect()
    numbers = fit(result.plan, Table.open(source)).part_numbers(
        rows, pl.arange(len(rows), eager=True).to_numpy()
    )
    expected = rows.insert_column(0, pl.Series("part", numbers))
    assert_frame_equal(
        result.scan().collect().sort("row_id"), expected.sort("row_id"), check_exact=True
    )


@pytest.fixture(scope="module", params=["local", "spark", "flink", "hadoop"])
def running(request) -> Iterator[Engine]:
    chosen = engine(request.param, **SETTINGS.get(request.param, {}))
    state = chosen.available()
    if not state:
        pytest.skip(f"{state.reason}; {state.command}")
    with chosen:
        yield chosen


@pytest.mark.parametrize("name", PLANS)
def test_every_engine_makes_the_same_parts(running, name, source, local_parts, tmp_path):
    result = running.run(PLANS[name], source, tmp_path / "parts")
    assert result.engine == running.name
    expected = local_parts[name]
    assert facts(result) == facts(expected)
    verification = verify(result, source)
    assert verification.ok, verification
    check_every_row(result, source)


def facts(result: Result) -> list[tuple[int, int, str, object]]:
    """Of each part its number, rows, checksum and keys."""
    return [(part.number, part.rows, part.checksum, part.keys) for part in result.parts]


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 300 kilobytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root alone; run the tests as root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_is_left(running, source, small_disk):
    plan = PLANS["hash of text"]
    with pytest.raises(DataError, match=rf"{small_disk}(.|\n)*bytes left"):
        running.run(plan, source, small_disk / "parts")
    assert list(small_disk.iterdir()) == []


def test_a_damaged_source_is_named_and_nothing_is_left(running, tmp_path):
    rows = hard_table(5_000, seed=6)
    rows.write_parquet(tmp_path / "t.parquet", use_pyarrow=False)
    content = bytearray((tmp_path / "t.parquet").read_bytes())
    content[1_000:60_000] = bytes(59_000)
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"t\.parquet"):
        running.run(PLANS["hash of text"], tmp_path / "t.parquet", tmp_path / "parts")
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_a_target_that_exists_stays_as_it_is_unless_it_may_be_replaced(running, source, tmp_path):
    target = tmp_path / "parts"
    first = engine("local").run(PLANS["round robin"], source, target)
    with pytest.raises(DataError, match="replace=True"):
        running.run(PLANS["hash of text"], source, target)
    assert Result.open(target).plan == first.plan
    assert running.run(PLANS["hash of text"], source, target, replace=True).rows == ROWS
    assert verify(target, source).ok


def test_csv_with_all_that_is_hard_in_it(running, tmp_path):
    rows = hard_table(3_000, seed=7).drop("flag", "y")
    rows.write_csv(tmp_path / "t.csv")
    result = running.run(PLANS["hash of text"], tmp_path / "t.csv", tmp_path / "parts")
    assert verify(result).ok
    read = result.scan().drop("part").collect()
    assert_frame_equal(read.sort("row_id"), rows.cast(read.schema).sort("row_id"), check_exact=True)
