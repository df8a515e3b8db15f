"""What a piece of work reads is counted by the system, not guessed from the sizes of files."""

from __future__ import annotations

import numpy as np
import polars as pl
import psutil
import pytest

from amaas_kit.partition.reads import bytes_read_by

SLACK = 50_000
COUNTED = hasattr(psutil.Process, "io_counters")


def about(count):
    """What is expected where the system counts, and None where it does not."""
    return pytest.approx(count, abs=SLACK) if COUNTED else None


def test_a_file_is_counted_once_and_whole_or_in_part(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(3_000_000))
    runs = []

    def whole():
        runs.append(len(path.read_bytes()))

    def first_third():
        with path.open("rb") as file:
            file.read(1_000_000)

    assert bytes_read_by(whole) == about(3_000_000)
    assert runs == [3_000_000, 3_000_000]
    assert bytes_read_by(first_third) == about(1_000_000)
    assert bytes_read_by(lambda: None) == about(0)


def test_of_parquet_the_columns_that_are_asked_for_are_read_and_of_csv_all(tmp_path):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": rng.normal(size=50_000) for i in range(10)})
    parquet, csv = tmp_path / "a.parquet", tmp_path / "a.csv"
    frame.write_parquet(parquet)
    frame.write_csv(csv)
    one, every, text = map(
        bytes_read_by,
        [
            pl.scan_parquet(parquet).select(pl.col("c3").sum()).collect,
            pl.scan_parquet(parquet).select(pl.all().sum()).collect,
            pl.scan_csv(csv).select("c3").collect,
        ],
    )
    assert one == about(parquet.stat().st_size / 10)
    assert every == about(parquet.stat().st_size)
    assert text == about(csv.stat().st_size)


def test_where_nothing_is_counted_the_work_is_done_all_the_same(monkeypatch):
    class Uncounted:
        pass

    monkeypatch.setattr(psutil, "Process", Uncounted)
    done = []
    assert bytes_read_by(lambda: done.append(1)) is None
    assert done == [1]
