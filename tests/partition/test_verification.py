"""Faults that were planted in real files are found, and the row is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, engine, manifest, verify
from amaas_kit.partition.cut import fit
from amaas_kit.partition.source import Table
from tests.partition.every_plan import PLANS as EVERY_PLAN
from tests.partition.every_plan import hard_table

GROUPS = {"who": ["user", "name"], "what": ["x", "y"]}
COLUMNS = Plan.columns(GROUPS, "row_id")
PLANS = {
    "hash": Plan.hash("user", 4),
    "range": Plan.range("x", [-0.5, 0.5]),
    "round robin": Plan.round_robin(3),
    "columns": COLUMNS,
    "columns within hash": Plan.hash("user", 4).then(COLUMNS),
}
ROWS = 400


def small_table():
    draw = np.random.default_rng(7)
    return pl.DataFrame(
        {
            "row_id": range(ROWS),
            "user": draw.integers(-50, 50, ROWS),
            "name": [f"name {i % 9}" if i % 5 else None for i in range(ROWS)],
            "x": draw.normal(size=ROWS),
            "y": draw.normal(size=ROWS).astype(np.float32),
        }
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    small_table().write_parquet(folder / "table.parquet")
    for name, plan in PLANS.items():
        engine("local").run(plan, folder / "table.parquet", folder / name)
    return folder


@pytest.fixture
def parts(made, tmp_path):
    """Copies of the parts of a plan, whose source is the table that all were cut from."""

    def copy(name):
        return Parts(shutil.copytree(made / name, tmp_path / name), made / "table.parquet")

    return copy


class Parts:
    """A folder of parts that is tampered with."""

    def __init__(self, path, source):
        self.path = path
        self.source = source
        self.facts = manifest.read(path)

    def file(self, number):
        (file,) = self.facts.parts[number].files
        return self.path / file.path

    def edit(self, number, change):
        rows = pl.read_parquet(self.file(number))
        change(rows).write_parquet(self.file(number))

    def write_manifest_anew(self):
        """The manifest of one who wants to hide what was done."""
        (self.path / "manifest.json").unlink()
        cut = fit(self.facts.plan, Table.open(self.source))
        facts = manifest.describe(cut, self.path, "local", {}, [])
        rows = sum(part.rows for part in facts.parts) // len(facts.schemas)
        manifest.write(replace(facts, rows=rows), self.path)

    def edit_manifest(self, change):
        path = self.path / "manifest.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    def label(self, number):
        group = self.facts.parts[number].group
        return f"part {number}" + ("" if group is None else f" ({group})")

    def row(self, number, place):
        return pl.read_parquet(self.file(number)).row(place, named=True)

    def name(self, row):
        """The keys of the plan first, then the columns as they come, three of them."""
        keys = [getattr(step, "key", None) for step in self.facts.plan.steps]
        names = list(dict.fromkeys(name for name in [*keys, *row] if name in row))[:3]
        return ", ".join(f"{name}={row[name]!r}" for name in names)


@pytest.mark.parametrize("name", PLANS)
def test_parts_as_they_were_written_are_well(name, parts):
    own = parts(name)
    found = verify(own.path)
    assert found
    assert found.ok
    assert found.problems == found.notes == ()
    assert "All is well" in str(found)


def test_every_kind_of_plan_on_every_kind_of_value_is_well(tmp_path):
    hard_table(3_000, seed=1).write_parquet(tmp_path / "table.parquet")
    for number, plan in enumerate(EVERY_PLAN.values()):
        result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / str(number))
        assert verify(result).problems == (), plan


def lose(own, number):
    row = own.row(number, 5)
    own.edit(number, lambda rows: pl.concat([rows[:5], rows[6:]]))
    return f"{own.label(number)}: 1 row is missing: {own.name(row)}"


def double(own, number):
    row = own.row(number, 5)
    own.edit(number, lambda rows: pl.concat([rows, rows[5:6]]))
    return f"{own.label(number)}: 1 row is there twice: {own.name(row)}"


def change(own, number):
    row = own.row(number, 5)
    column = list(row)[-1]
    own.edit(number, lambda rows: rows.with_columns(changed(rows, column)))
    after = own.row(number, 5)[column]
    values = f"{column} was {shown(row[column])} and is {shown(after)}"
    return f"{own.label(number)}: a row was changed: {own.name(row)}: {values}"


def changed(rows, column):
    new = "else" if rows[column].dtype == pl.String else 99.5
    return pl.when(pl.int_range(pl.len()) == 5).then(pl.lit(new)).otherwise(column).alias(column)


def shown(value):
    return repr(value) if isinstance(value, str) else str(value)


def move(own, number):
    other = (number + len(own.facts.schemas)) % len(own.facts.parts)
    row = own.row(number, 5)
    taken = pl.read_parquet(own.file(number))[5:6]
    own.edit(number, lambda rows: pl.concat([rows[:5], rows[6:]]))
    own.edit(other, lambda rows: pl.concat([rows, taken]))
    return f"{own.label(other)}: 1 row belongs to {own.label(number)}: {own.name(row)}"


FAULTS = [lose, double, change, move]


@pytest.mark.parametrize("hidden", [False, True], ids=["", "and the manifest rewritten"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("name", PLANS)
def test_a_row_that_was_tampered_with_is_named(name, fault, hidden, parts):
    if fault is move and name == "columns":
        name = "columns within hash"
    own = parts(name)
    sentence = fault(own, 1)
    if hidden:
        own.write_manifest_anew()
    found = verify(own.path)
    assert not found
    assert sentence in found.problems
    assert sentence in str(found)
    if hidden and fault in (change, move):
        assert found.problems == (sentence,)
    if not hidden:
        assert any(
            line.startswith(own.label(1)) and "manifest says" in line for line in found.problems
        )


def test_without_the_source_the_manifest_still_tells(parts, tmp_path):
    own = parts("hash")
    own.edit_manifest(lambda content: content["source"].update(path=str(tmp_path / "gone")))
    found = verify(own.path)
    assert found.ok
    assert "gone is not there" in found.notes[0]
    first, second = str(found).splitlines()
    assert "as their manifest says, but were not compared with their table" in first
    assert "gone is not there" in second
    change(own, 2)
    found = verify(own.path)
    assert not found
    assert any("part 2 has rows with the checksum" in line for line in found.problems)


def test_another_path_to_the_source_may_be_given(parts, made, tmp_path):
    own = parts("hash")
    moved = shutil.copy(made / "table.parquet", tmp_path / "moved.parquet")
    own.edit_manifest(lambda content: content["source"].update(path=str(tmp_path / "gone")))
    assert verify(own.path, moved) == verify(parts("round robin").path, moved)


def test_a_source_that_is_given_must_be_there(parts, tmp_path):
    with pytest.raises(DataError, match=r"(?s)parts against their table.*no-table.*compared"):
        verify(parts("hash").path, tmp_path / "no-table.parquet")


def test_a_folder_without_parts_is_no_partition(tmp_path):
    with pytest.raises(DataError, match=r"manifest\.json"):
        verify(tmp_path)


def test_many_rows_are_counted_and_five_are_named(parts):
    own = parts("hash")
    lost = pl.read_parquet(own.file(1))[:30]
    own.edit(1, lambda rows: rows[30:])
    (sentence,) = [line for line in verify(own.path).problems if "missing" in line]
    assert sentence.startswith("part 1: 30 rows are missing: ")
    names = sentence.removeprefix("part 1: 30 rows are missing: ").split("; ")
    assert len(names) == 6
    assert names.pop() == "…"
    assert {*names} <= {own.name(row) for row in lost.iter_rows(named=True)}


def test_many_changed_rows_are_counted(parts):
    own = parts("hash")
    own.edit(1, lambda rows: rows.with_columns(x=pl.col("x") + (pl.int_range(pl.len()) < 12)))
    lines = [line for line in verify(own.path).problems if "changed" in line]
    assert len(lines) == 6
    assert lines[-1] == "part 1: 7 more rows were changed"


def test_a_column_that_was_changed_throughout(parts):
    own = parts("hash")
    own.edit(1, lambda rows: rows.with_columns(x=pl.col("x") * 2))
    count = own.facts.parts[1].rows
    assert count > 64
    problems = verify(own.path).problems
    assert any(line.startswith(f"part 1: {count} rows are missing: ") for line in problems)
    assert any(line.startswith(f"part 1: {count} rows are not in the source") for line in problems)


def test_a_row_of_nowhere_is_seen(parts):
    own = parts("hash")
    own.edit(1, lambda rows: pl.concat([rows, rows[:1].with_columns(row_id=-pl.col("row_id") - 5)]))
    name = own.name(own.row(1, -1))
    assert f"part 1: 1 row is not in the source: {name}" in verify(own.path).problems


def test_the_files_of_two_parts_that_were_swapped(parts):
    own = parts("hash")
    one, other = own.file(1), own.file(2)
    one.rename(own.path / "aside")
    other.rename(one)
    (own.path / "aside").rename(other)
    own.write_manifest_anew()
    first, second = verify(own.path).problems
    rows = [part.rows for part in own.facts.parts]
    assert first.startswith(f"part 1: {rows[2]} rows belong to part 2: ")
    assert second.startswith(f"part 2: {rows[1]} rows belong to part 1: ")


@pytest.mark.parametrize("name", ["hash", "columns"])
@pytest.mark.parametrize("bytes_left", [0, 3, 0.5, 0.99])
def test_a_file_that_was_cut_short(bytes_left, name, parts):
    own = parts(name)
    content = own.file(1).read_bytes()
    size = bytes_left if isinstance(bytes_left, int) else int(len(content) * bytes_left)
    own.file(1).write_bytes(content[:size])
    problems = verify(own.path).problems
    path = own.facts.parts[1].files[0].path
    assert f"{path} has {size:,} bytes, and the manifest says {len(content):,}" in problems
    assert any(line.startswith(f"{path} cannot be read: ") for line in problems)
    rows = own.facts.parts[1].rows
    assert any(line.startswith(f"{own.label(1)}: {rows} rows are missing") for line in problems)


def test_a_file_with_a_damaged_middle(parts):
    own = parts("hash")
    content = bytearray(own.file(1).read_bytes())
    content[40:400] = b"\xaa" * 360
    own.file(1).write_bytes(content)
    found = verify(own.path)
    assert not found
    assert any(line.startswith(("part=1/", "part 1")) for line in found.problems)


def test_a_folder_that_was_emptied(parts):
    own = parts("hash")
    path = own.facts.parts[1].files[0].path
    own.file(1).unlink()
    problems = verify(own.path).problems
    rows = own.facts.parts[1].rows
    assert f"{path} is missing" in problems
    assert f"part 1 has 0 rows, and the manifest says {rows}" in problems
    assert any(line.startswith(f"part 1: {rows} rows are missing") for line in problems)


def test_all_files_are_gone(parts):
    own = parts("columns")
    for number in (0, 1):
        own.file(number).unlink()
    problems = verify(own.path).problems
    assert any(line.startswith(f"part 0 (who): {ROWS} rows are missing") for line in problems)
    assert any(line.startswith(f"part 1 (what): {ROWS} rows are missing") for line in problems)


def test_a_file_that_no_part_has(parts):
    own = parts("hash")
    (own.path / "part=1" / "more.parquet").write_bytes(own.file(1).read_bytes())
    (own.path / "part=1" / ".DS_Store").touch()
    assert verify(own.path).problems == ("part=1/more.parquet is in no part of the manifest",)


def test_a_file_without_a_column(parts):
    own = parts("hash")
    own.edit(1, lambda rows: rows.drop("x"))
    own.edit(2, lambda rows: rows.with_columns(more=1))
    problems = verify(own.path).problems
    one, other = (own.facts.parts[number].files[0].path for number in (1, 2))
    assert f"{one} has other columns than its part: x" in problems
    assert f"{other} has other columns than its part: more" in problems
    assert not any(line.startswith("part 2:") for line in problems)


def test_a_file_with_other_types_counts_by_its_values(parts):
    own = parts("hash")
    narrow = {"row_id": pl.Int32, "user": pl.Int8, "name": pl.Categorical, "y": pl.Float64}
    own.edit(1, lambda rows: rows.cast(narrow))
    (problem,) = verify(own.path).problems
    assert "bytes" in problem
    for number in (0, 2, 3):
        own.edit(number, lambda rows: rows.cast(narrow))
    own.write_manifest_anew()
    assert verify(own.path).problems == ()
    own.edit(2, lambda rows: rows.cast({"x": pl.Float32}))
    problems = verify(own.path).problems
    count = own.facts.parts[2].rows
    assert any(line.startswith(f"part 2: {count} rows are missing") for line in problems)
    assert not any(line.startswith(("part 0:", "part 1:", "part 3:")) for line in problems)


def test_a_file_whose_values_cannot_have_the_type(parts):
    own = parts("hash")
    own.edit(1, lambda rows: rows.with_columns(row_id=pl.lit("not a number")))
    problems = verify(own.path).problems
    path = own.facts.parts[1].files[0].path
    assert any(line.startswith(f"{path} cannot be read: ") for line in problems)


def steps(content):
    return content["plan"]["steps"]


PLAN_EDITS = {
    "another key": lambda content: steps(content)[0].update(key="row_id"),
    "a key that is not there": lambda content: steps(content)[0].update(key="nobody"),
    "fewer parts": lambda content: steps(content)[0].update(parts=3),
    "another kind": lambda content: content["plan"].update(
        steps=[{"kind": "round_robin", "parts": 4}]
    ),
    "a plan that is none": lambda content: steps(content)[0].update(parts=0),
    "columns": lambda content: content["plan"].update(json.loads(COLUMNS.to_json())),
}


@pytest.mark.parametrize("name", PLAN_EDITS)
def test_a_plan_that_was_changed_in_the_manifest(name, parts):
    own = parts("hash")
    own.edit_manifest(PLAN_EDITS[name])
    found = verify(own.path)
    assert not found
    assert found.problems


def test_counts_that_were_changed_in_the_manifest(parts):
    own = parts("hash")

    def edit(content):
        content["rows"] += 1
        content["checksum"] = "0" * 16
        content["parts"][1]["bytes"] += 1
        content["parts"][2]["keys"][0] -= 1
        content["parts"][3]["rows"] -= 1

    own.edit_manifest(edit)
    problems = verify(own.path).problems
    assert len(problems) == 6
    for start in ("part 1 has", "part 2 has the keys", "part 3 has", "the checksums", "the parts"):
        assert any(line.startswith(start) for line in problems)


def test_a_manifest_that_is_damaged_is_a_problem(parts):
    own = parts("hash")
    (own.path / "manifest.json").write_text('{"kind": "amaas-kit parts"')
    found = verify(own.path)
    assert not found
    assert "cut short or damaged" in found.problems[0]


def test_another_source_does_not_belong_to_the_parts(parts, tmp_path):
    own = parts("hash")
    table = small_table()
    table.rename({"x": "z"}).write_parquet(tmp_path / "renamed.parquet")
    (problem,) = verify(own.path, tmp_path / "renamed.parquet").problems
    assert problem == (
        f"{tmp_path / 'renamed.parquet'} is not the table that was cut, and was not compared: "
        "columns missing x; additional z"
    )
    pl.concat([table[:7], table[8:]]).write_parquet(tmp_path / "shorter.parquet")
    problems = verify(own.path, tmp_path / "shorter.parquet").problems
    assert f"{tmp_path / 'shorter.parquet'} has 399 rows, and the manifest says 400" in problems
    name = own.name({name: table[name][7] for name in ("row_id", "user", "name")})
    assert any(line.endswith(f": 1 row is not in the source: {name}") for line in problems)


ELSE = {
    "another type": (
        lambda table: table.cast({"x": pl.Int64}),
        "compared: columns of another type x: Int64, was Float64",
    ),
    "another order": (
        lambda table: table.select(*reversed(table.columns)),
        "its columns are in another order",
    ),
    "many columns": (
        lambda table: table.with_columns(pl.lit(0).alias(f"more {n}") for n in range(8)),
        "columns additional more 0, more 1, more 2, more 3, more 4, and 3 more",
    ),
}


@pytest.mark.parametrize("name", ELSE)
def test_the_columns_are_named_in_which_another_table_differs(name, parts, tmp_path):
    make, words = ELSE[name]
    make(small_table().with_columns(x=pl.col("x").round())).write_parquet(tmp_path / "else.parquet")
    (problem,) = verify(parts("hash").path, tmp_path / "else.parquet").problems
    assert problem.endswith(words)
    assert "Schema" not in problem


def test_what_is_no_folder_is_refused_with_what_to_pass():
    with pytest.raises(DataError, match=r"None\n(.|\n)*pass the path of a folder"):
        verify(None)


def test_more_parts_than_are_explained_are_counted(tmp_path):
    small_table().write_parquet(tmp_path / "table.parquet")
    plan = Plan.hash("row_id", 12)
    result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")
    for part in result.parts:
        file = result.path / part.files[0].path
        pl.read_parquet(file)[1:].write_parquet(file)
    problems = verify(result).problems
    assert sum("is missing" in line for line in problems) == 8
    assert "4 more parts differ from the source" in problems


def test_rows_that_the_table_has_twice_are_well_and_three_times_are_not(tmp_path):
    table = pl.concat([small_table(), small_table()])
    table.write_parquet(tmp_path / "table.parquet")
    plan = Plan.hash("user", 2)
    result = engine("local").run(plan, tmp_path / "table.parquet", tmp_path / "out")
    assert verify(result)
    file = result.path / result.parts[0].files[0].path
    rows = pl.read_parquet(file)
    pl.concat([rows, rows[:1]]).write_parquet(file)
    name = ", ".join(f"{name}={rows[name][0]!r}" for name in ("user", "row_id", "name"))
    assert f"part 0: 1 row is there twice: {name}" in verify(result).problems
