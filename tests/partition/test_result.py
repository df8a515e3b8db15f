"""Parts are read again as one table: all rows, values and types, and only what is asked for."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from amaas_kit.errors import DataError
from amaas_kit.partition import Part, Plan, Result, engine, manifest, staging
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table

GROUPS = Plan.columns({"late": ["x", "at"], "early": ["k", "name", "list"]}, "row_id")
WINDOWS = Plan.window("at", dt.datetime(2026, 1, 1), dt.timedelta(days=1))
PLANS = {
    "hash": Plan.hash("k", 3),
    "windows, some empty": WINDOWS,
    "columns": GROUPS,
    "columns within hash": Plan.hash("k", 3).then(GROUPS),
    "columns within windows, some empty": WINDOWS.then(GROUPS),
}


def small_table():
    return pl.DataFrame(
        {
            "k": [i % 5 - 2 if i % 7 else None for i in range(60)],
            "row_id": range(60),
            "name": [f"é {i % 4}" if i % 3 else None for i in range(60)],
            "at": [dt.datetime(2026, 1, 1 + i // 20 * 3, i % 24) for i in range(60)],
            "x": [i / 8 for i in range(60)],
            "list": [[i] * (i % 3) for i in range(60)],
        },
        schema_overrides={
            "k": pl.Int16,
            "name": pl.Enum([f"é {i}" for i in range(4)]),
            "at": pl.Datetime("ms"),
            "x": pl.Float32,
            "list": pl.List(pl.Int8),
        },
    )


@pytest.fixture
def run(tmp_path):
    """The local engine on the small table."""
    small_table().write_parquet(tmp_path / "table.parquet")

    def run_plan(plan):
        return engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")

    return run_plan


def row_parts(plan, tmp_path):
    table = Table.open(tmp_path / "table.parquet")
    rows = table.scan().collect()
    return fit(plan, table).part_numbers(rows, rows["row_id"].to_numpy())


@pytest.mark.parametrize("name", PLANS)
def test_the_parts_are_the_table_with_the_number_of_the_part_first(name, run, tmp_path):
    result = run(PLANS[name])
    expected = small_table().insert_column(0, pl.Series("part", row_parts(PLANS[name], tmp_path)))
    assert result.scan().collect_schema() == expected.schema
    assert_frame_equal(result.scan().collect().sort("row_id"), expected, check_exact=True)
    assert_frame_equal(
        result.scan().collect(engine="streaming").sort("row_id"), expected, check_exact=True
    )


@pytest.mark.parametrize("name", PLANS)
def test_one_part_is_read_alone(name, run):
    result = run(PLANS[name])
    whole = result.scan().collect()
    for part in {part.row_part for part in result.parts}:
        own = result.scan(part).collect().sort("row_id")
        assert_frame_equal(own, whole.filter(pl.col("part") == part).sort("row_id"))


def test_the_files_of_other_parts_are_not_touched(run):
    result = run(PLANS["columns within hash"])
    for part in result.parts[3:]:
        (result.path / part.files[0].path).unlink()
    assert len(result.scan(0).collect()) == result.parts[0].rows


def test_parts_are_not_opened_at_an_address():
    with pytest.raises(DataError, match=r"hdfs://host:9000/parts\n(.|\n)*an address(.|\n)*copy"):
        Result.open("hdfs://host:9000/parts")


def test_a_part_that_does_not_exist_is_refused(run):
    with pytest.raises(DataError, match="0 to 2"):
        run(PLANS["hash"]).scan(3)


def columns_read(plan):
    """What `explain` says is read of each file: pairs of columns read and columns there."""
    words = [line.split()[1] for line in plan.splitlines() if line.strip().startswith("PROJECT ")]
    return sorted(tuple(int(n) if n != "*" else n for n in word.split("/")) for word in words)


def test_only_the_columns_that_are_asked_for_are_read(run):
    assert columns_read(run(PLANS["hash"]).scan().select("x").explain()) == [(1, 6)]


def test_of_groups_only_the_columns_that_are_asked_for_and_the_key_are_read(run):
    plan = run(PLANS["columns within hash"]).scan().select("x").explain()
    assert columns_read(plan) == [(1, 4), (2, 3)]


@pytest.mark.parametrize("name", ["hash", "columns within hash"])
def test_a_damaged_column_that_is_not_asked_for_does_no_harm(name, run):
    """The bytes of a column are not touched where it is not asked for."""
    result = run(PLANS[name])
    for part in result.parts:
        for file in part.files:
            rows = pl.read_parquet(result.path / file.path)
            if "list" in rows.columns:
                broken = rows.with_columns(pl.lit("no list").alias("list"))
                broken.write_parquet(result.path / file.path)
    assert result.scan().select("row_id", "x").collect()["row_id"].sort().to_list() == [*range(60)]
    with pytest.raises(pl.exceptions.PolarsError):
        result.scan().collect()


def test_types_that_an_engine_stored_otherwise_are_those_of_the_table_again(run):
    result = run(PLANS["columns within hash"])
    stored = {"k": pl.Int64, "name": pl.String, "at": pl.Datetime("us"), "x": pl.Float64}
    for file in [file for part in result.parts for file in part.files]:
        rows = pl.read_parquet(result.path / file.path)
        rows.cast({n: kind for n, kind in stored.items() if n in rows.columns}).select(
            reversed(rows.columns)
        ).write_parquet(result.path / file.path)
    rows = result.scan().drop("part").collect().sort("row_id")
    assert_frame_equal(rows, small_table(), check_exact=True)


@pytest.mark.parametrize("name", PLANS)
def test_a_partition_without_rows_has_its_columns(name, run, tmp_path):
    result = run(PLANS[name])
    facts = result.manifest
    empty = [dataclasses.replace(part, rows=0, bytes=0, files=()) for part in facts.parts]
    manifest.write(dataclasses.replace(facts, rows=0, parts=tuple(empty)), result.path)
    rows = Result(result.path).scan().collect()
    assert rows.is_empty()
    assert rows.schema == {"part": pl.Int64(), **small_table().schema}


def test_a_column_may_have_the_name_of_what_is_added_to_read_it(tmp_path):
    table = pl.DataFrame({"file": ["a", "b", "c"], "file_": [1, 2, 3]})
    table.write_parquet(tmp_path / "table.parquet")
    plan = Plan.hash("file_", 2)
    result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")
    assert_frame_equal(result.scan().drop("part").collect().sort("file"), table)


def test_a_folder_that_was_moved_is_read_where_it_is(run, tmp_path):
    result = run(PLANS["columns within hash"])
    before = result.scan().collect().sort("row_id")
    place = tmp_path / "x=1" / "part=9" / "a [b]"
    place.parent.mkdir(parents=True)
    shutil.move(result.path, place)
    assert_frame_equal(Result.open(place).scan().collect().sort("row_id"), before)


def test_what_the_manifest_says_is_at_hand(run, tmp_path):
    result = run(PLANS["hash"])
    assert result.plan == PLANS["hash"]
    assert result.engine == "local"
    assert result.versions["polars"] == pl.__version__
    assert result.notes == ()
    assert result.rows == 60
    assert all(isinstance(part, Part) for part in result.parts)
    assert sum(part.rows for part in result.parts) == 60
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.parts[0].rows = 1


def test_a_file_that_is_gone_is_named(run):
    result = run(PLANS["hash"])
    lost = result.path / result.parts[1].files[0].path
    lost.unlink()
    with pytest.raises(DataError, match="no such file") as caught:
        result.scan()
    assert str(lost) in caught.value.situation


def test_parts_that_were_replaced_are_not_taken_for_the_old_ones(run, tmp_path):
    old = run(PLANS["hash"])
    new = engine("local").run(
        Plan.hash("row_id", 2), tmp_path / "table.parquet", old.path, replace=True
    )
    with pytest.raises(DataError, match="open them again"):
        old.scan()
    assert_frame_equal(Result.open(old.path).scan().collect(), new.scan().collect())


@pytest.mark.parametrize("name", ["hash", "columns within hash"])
@pytest.mark.parametrize("how", ["in-memory", "streaming"])
def test_rows_asked_for_before_the_parts_were_replaced_are_not_those_of_the_new_ones(
    how, name, run, tmp_path
):
    old = run(PLANS[name]).scan()
    (small_table().with_columns(pl.col("x") + 1)).write_parquet(tmp_path / "table.parquet")
    new = engine("local").run(
        PLANS[name], tmp_path / "table.parquet", tmp_path / "out", replace=True
    )
    for question in (old, old.select("x"), old.filter(pl.col("part") == 1), old.select(pl.len())):
        with pytest.raises(DataError, match="open them again"):
            question.collect(engine=how)
    assert len(new.scan().collect(engine=how)) == 60


def test_conditions_reach_the_files(run):
    rows = run(PLANS["hash"]).scan().filter(pl.col("x") > 3).explain()
    assert 'SELECTION: col("x")' in rows


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json"):
        Result.open(tmp_path)
    with pytest.raises(DataError, match="nowhere"):
        Result.open(tmp_path / "nowhere")


def test_parts_that_a_kill_left_aside_are_there_again(run, tmp_path):
    result = run(PLANS["hash"])
    aside = tmp_path / f"{staging._beginning(result.path)}{'0' * 16}.cutting"
    aside.mkdir()
    (aside / "lock").touch()
    result.path.rename(aside / "old")
    assert Result.open(result.path).rows == 60
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "table.parquet"]


def test_it_is_shown_as_a_small_table(run):
    result = run(PLANS["hash"])
    lines = repr(result).splitlines()
    assert "3 parts of 60 rows" in lines[0]
    assert "hash of k into 3 parts; engine local" in lines[0]
    assert lines[1].split() == ["part", "rows", "bytes", "keys", "checksum"]
    assert len(lines) == 5
    for line, part in zip(lines[2:], result.parts, strict=True):
        assert line.split()[:2] == [str(part.number), str(part.rows)]
        assert part.checksum in line


def test_many_parts_are_shown_in_part(tmp_path):
    pl.DataFrame({"k": range(99)}).write_parquet(tmp_path / "table.parquet")
    plan = Plan.hash("k", 20)
    result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")
    assert len(repr(result).splitlines()) == 15
    assert repr(result).endswith("… and 8 more")
    assert result._repr_html_().count("<tr>") == 13
    assert "… and 8 more" in result._repr_html_()


def test_a_page_shows_text_as_text(tmp_path):
    table = pl.DataFrame({"<k>": ["<script>", "b" * 99], "row_id": [1, 2]})
    table.write_parquet(tmp_path / "table.parquet")
    plan = Plan.hash("<k>", 1)
    result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")
    page = result._repr_html_()
    assert "<script>" not in page
    assert "<k>" not in page
    assert "&lt;script&gt;" in page
    assert "b" * 30 not in page
