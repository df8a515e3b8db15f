"""A manifest says what is in the files, is read back equal, and is refused where it is damaged."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import json

import polars as pl
import pytest

from amaas_kit.errors import DataError, EngineError
from amaas_kit.partition import Plan, checksum, manifest
from amaas_kit.partition.cut import fit
from amaas_kit.partition.manifest import File, Manifest
from amaas_kit.partition.source import Table

TABLE = pl.DataFrame(
    {
        "row_id": [1, 2, 3, 4, 5],
        "k": [-7, 3, None, 9, 3],
        "name": ["b", "é", None, "", "a"],
        "at": [dt.datetime(2026, 1, day) for day in (1, 2, 3, 4, 5)],
        "x": [0.5, None, -0.0, 1e300, 2.0],
    },
    schema_overrides={"k": pl.Int16, "name": pl.Categorical, "at": pl.Datetime("ms")},
)
GROUPS = Plan.columns({"who": ["k", "name"], "what": ["at", "x"]}, "row_id")


def cut_of(tmp_path, plan):
    TABLE.write_parquet(tmp_path / "table.parquet")
    return fit(plan, Table.open(tmp_path / "table.parquet"))


def write_parts(tmp_path, parts):
    """Files of parts: a list of tables for each number."""
    folder = tmp_path / "data"
    for number, tables in parts.items():
        (folder / f"part={number}").mkdir(parents=True)
        for i, table in enumerate(tables):
            table.write_parquet(folder / f"part={number}" / f"{i}.parquet")
    return folder


def described(tmp_path, plan, parts, notes=()):
    folder = write_parts(tmp_path, parts)
    cut = cut_of(tmp_path, plan)
    return folder, manifest.describe(cut, folder, "spark", {"java": "17.0.15"}, notes)


def test_it_says_what_the_files_of_each_part_hold(tmp_path):
    parts = {2: [TABLE[:2], TABLE[3:4]], 0: [TABLE[2:3]]}
    folder, facts = described(tmp_path, Plan.hash("k", 4), parts, ["a note"])
    assert [part.number for part in facts.parts] == [part.row_part for part in facts.parts]
    assert [part.rows for part in facts.parts] == [1, 0, 3, 0]
    assert [part.keys for part in facts.parts] == [None, None, (-7, 9), None]
    assert {part.group for part in facts.parts} == {None}
    for number, tables in parts.items():
        part = facts.parts[number]
        paths = [f"part={number}/{i}.parquet" for i in range(len(tables))]
        assert part.files == tuple(File(p, (folder / p).stat().st_size) for p in paths)
        assert part.bytes == sum(file.bytes for file in part.files)
        assert part.checksum == checksum.of(pl.concat(tables).lazy()).text
    assert facts.parts[1].files == ()
    assert facts.parts[1].checksum == "0" * 16
    assert facts.checksum == checksum.of(TABLE[:4].lazy()).text


def test_it_says_where_the_parts_are_from(tmp_path):
    _, facts = described(tmp_path, Plan.hash("k", 2), {0: [TABLE]}, ["a note"])
    assert facts.plan == Plan.hash("k", 2)
    assert facts.source.path == str(tmp_path / "table.parquet")
    assert (facts.source.format, facts.source.rows, facts.rows) == ("parquet", 5, 5)
    assert facts.schema == TABLE.schema
    assert facts.engine == "spark"
    assert facts.versions["java"] == "17.0.15"
    assert facts.versions["polars"] == pl.__version__
    assert "amaas-kit" in facts.versions
    assert facts.notes == ("a note",)


def test_groups_of_columns_are_described_each_by_itself(tmp_path):
    plan = Plan.hash("k", 2).then(GROUPS)
    who, what = TABLE.select("row_id", "k", "name"), TABLE.select("row_id", "at", "x")
    parts = {0: [who[:3]], 1: [what[:3]], 2: [who[3:]], 3: [what[3:]]}
    _, facts = described(tmp_path, plan, parts)
    assert [(part.row_part, part.group) for part in facts.parts] == [
        (0, "who"),
        (0, "what"),
        (1, "who"),
        (1, "what"),
    ]
    assert [part.rows for part in facts.parts] == [3, 3, 2, 2]
    assert [part.keys for part in facts.parts] == [(1, 3), (1, 3), (4, 5), (4, 5)]
    assert facts.parts[3].checksum == checksum.of(what[3:].lazy()).text
    assert list(facts.schemas) == ["who", "what"]
    assert facts.schemas["what"] == what.schema


KEYS = {
    "numbers": (Plan.hash("k", 2), (-7, 9)),
    "text by its bytes": (Plan.hash("name", 2), ("", "é")),
    "times in microseconds": (
        Plan.window("at", dt.datetime(2026, 1, 1), dt.timedelta(days=9)),
        (1_767_225_600_000_000, 1_767_571_200_000_000),
    ),
    "real numbers": (Plan.range("x", [0.0]), (-0.0, 1e300)),
    "none": (Plan.round_robin(2), None),
    "of the first cut that has one": (Plan.round_robin(1).then(Plan.hash("k", 2)), (-7, 9)),
}


@pytest.mark.parametrize("name", KEYS)
def test_the_keys_of_a_part_are_the_least_and_the_greatest(name, tmp_path):
    plan, keys = KEYS[name]
    folder, facts = described(tmp_path, plan, {0: [TABLE]})
    assert facts.parts[0].keys == keys
    manifest.write(facts, folder)
    assert manifest.read(folder) == facts


def standard_json(path):
    """What a reader of RFC 8259 finds, who knows no NaN and no Infinity."""

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


INFINITE = {
    "both": ([float("-inf"), 2.0, float("inf")], ["-Infinity", "Infinity"]),
    "one": ([1.0, 2.0, float("inf")], [1.0, "Infinity"]),
}


@pytest.mark.parametrize("name", INFINITE)
def test_infinite_keys_are_written_as_json_has_it_and_read_back_equal(name, tmp_path):
    keys, written = INFINITE[name]
    table = pl.DataFrame({"x": keys})
    table.write_parquet(tmp_path / "table.parquet")
    folder = write_parts(tmp_path, {0: [table]})
    cut = fit(Plan.range("x", [0.0]), Table.open(tmp_path / "table.parquet"))
    facts = manifest.describe(cut, folder, "local", {}, [])
    assert facts.parts[0].keys == (keys[0], keys[2])
    path = manifest.write(facts, folder)
    assert standard_json(path)["parts"][0]["keys"] == written
    assert manifest.read(folder) == facts


def test_texts_that_sound_infinite_stay_texts(tmp_path):
    table = pl.DataFrame({"t": ["-Infinity", "Infinity"]})
    table.write_parquet(tmp_path / "table.parquet")
    folder = write_parts(tmp_path, {0: [table]})
    cut = fit(Plan.hash("t", 1), Table.open(tmp_path / "table.parquet"))
    manifest.write(manifest.describe(cut, folder, "local", {}, []), folder)
    assert manifest.read(folder).parts[0].keys == ("-Infinity", "Infinity")


def test_nothing_is_written_that_json_does_not_have(written):
    folder, facts = written
    before = (folder / "manifest.json").read_bytes()
    part = dataclasses.replace(facts.parts[0], keys=(float("nan"), 1.0))
    with pytest.raises(ValueError, match="JSON"):
        manifest.write(dataclasses.replace(facts, parts=(part, *facts.parts[1:])), folder)
    assert (folder / "manifest.json").read_bytes() == before


def test_bytes_as_a_key_are_shown_as_digits(tmp_path):
    table = pl.DataFrame({"b": [b"\xff\x00", b"\x7f", b"a"], "x": [1, 2, 3]})
    table.write_parquet(tmp_path / "table.parquet")
    folder = write_parts(tmp_path, {0: [table]})
    plan = Plan.columns({"only": ["x"]}, "b")
    cut = fit(plan, Table.open(tmp_path / "table.parquet"))
    facts = manifest.describe(cut, folder, "local", {}, [])
    assert facts.parts[0].keys == ("61", "ff00")
    manifest.write(facts, folder)
    assert manifest.read(folder) == facts


def test_values_count_with_the_types_of_the_table(tmp_path):
    stored = TABLE.cast({"k": pl.Int64, "name": pl.String, "at": pl.Datetime("us")})
    _, facts = described(tmp_path, Plan.hash("k", 1), {0: [stored]})
    assert facts.checksum == checksum.of(TABLE.lazy()).text


@pytest.mark.parametrize("name", ["part=2", "part=-1", "part=", "part=__HIVE_DEFAULT_PARTITION__"])
def test_a_folder_of_no_part_of_the_plan_is_the_engine_s_fault(name, tmp_path):
    folder = write_parts(tmp_path, {0: [TABLE]})
    (folder / name).mkdir()
    with pytest.raises(EngineError, match=name):
        manifest.describe(cut_of(tmp_path, Plan.hash("k", 2)), folder, "spark", {}, [])


def test_a_file_without_a_column_is_named(tmp_path):
    folder = write_parts(tmp_path, {0: [TABLE.drop("x")]})
    with pytest.raises(DataError, match=r"0\.parquet") as caught:
        manifest.describe(cut_of(tmp_path, Plan.hash("k", 2)), folder, "spark", {}, [])
    assert "x" in caught.value.wrong


@pytest.fixture
def written(tmp_path):
    plan = Plan.hash("k", 2).then(GROUPS)
    who, what = TABLE.select("row_id", "k", "name"), TABLE.select("row_id", "at", "x")
    folder, facts = described(tmp_path, plan, {0: [who], 1: [what]}, ["a note"])
    manifest.write(facts, folder)
    return folder, facts


def test_it_is_read_back_equal(written):
    folder, facts = written
    assert manifest.read(folder) == facts
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "part=0", "part=1"]


def test_a_folder_without_one_is_no_partition(tmp_path):
    with pytest.raises(DataError, match="cut the table again") as caught:
        manifest.read(tmp_path)
    assert str(tmp_path / "manifest.json") in caught.value.situation


@pytest.mark.parametrize("size", [0, 1, 40, 400, -3])
def test_one_that_was_cut_short_is_refused(size, written):
    path = written[0] / "manifest.json"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"manifest\.json") as caught:
        manifest.read(written[0])
    assert "cut short" in caught.value.wrong


@pytest.mark.parametrize(
    "text", ["[]", "3", "{}", '{"kind": "model", "format": 1}', '{"format": 1}']
)
def test_one_of_another_program_is_refused(text, written):
    (written[0] / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="no manifest of a partition of the kit"):
        manifest.read(written[0])


def test_one_of_a_later_format_says_what_to_do(written):
    edit(written[0], ["format"], 2)
    with pytest.raises(DataError, match="upgrade") as caught:
        manifest.read(written[0])
    assert caught.value.seen == "format 2"


FIELDS = {
    "plan": "no plan",
    "plan.steps": [{"kind": "dice"}],
    "plan.format": 2,
    "source": "table.parquet",
    "source.path": 3,
    "source.rows": -1,
    "schema": {},
    "schema.0": ["row_id"],
    "schema.0.0": 3,
    "schema.0.1": "Number",
    "engine": None,
    "versions": [],
    "versions.java": 17,
    "notes": "a note",
    "rows": 1.5,
    "checksum": "abc",
    "parts": {},
    "parts.1": 7,
    "parts.1.part": 2,
    "parts.1.row_part": 1,
    "parts.1.group": "nobody",
    "parts.1.rows": True,
    "parts.1.bytes": "many",
    "parts.1.checksum": "G" * 16,
    "parts.1.keys": [1],
    "parts.1.files": None,
    "parts.1.files.0": "0.parquet",
    "parts.1.files.0.path": "../../table.parquet",
    "parts.1.files.0.bytes": None,
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_is_wrong_is_named(field, written):
    places = [int(place) if place.isdigit() else place for place in field.split(".")]
    edit(written[0], places, FIELDS[field])
    with pytest.raises(DataError) as caught:
        manifest.read(written[0])
    text = str(caught.value)
    assert "manifest.json" in text
    name = [place for place in places if isinstance(place, str)][-1]
    assert name in text or places[0] == "plan"


@pytest.mark.parametrize("field", ["plan", "source.path", "rows", "parts", "parts.1.files"])
def test_a_field_that_is_missing_is_named(field, written):
    places = [int(place) if place.isdigit() else place for place in field.split(".")]
    edit(written[0], places, edit)
    with pytest.raises(DataError, match="missing") as caught:
        manifest.read(written[0])
    assert str(places[-1]) in caught.value.seen


PATHS = ["/etc/passwd", "part=1/../../x", "part=10/0.parquet", "part=1", "part=1\\..\\x", ""]


@pytest.mark.parametrize("path", PATHS)
def test_no_file_outside_the_folder_of_a_part_is_read(path, written):
    edit(written[0], ["parts", 1, "files", 0, "path"], path)
    with pytest.raises(DataError, match="path"):
        manifest.read(written[0])


def test_whatever_stands_in_a_field_the_answer_is_an_error_of_the_kit(written):
    folder, _ = written
    content = json.loads((folder / "manifest.json").read_text())
    tried = 0
    for places in list(leaves(content)):
        for value in (None, True, -1, 1e400, "", "é\0", [], [[]], {}, {"a": 1}, 2**80):
            edited = copy.deepcopy(content)
            put(edited, places, value)
            (folder / "manifest.json").write_text(json.dumps(edited))
            try:
                assert isinstance(manifest.read(folder), Manifest)
            except DataError:
                tried += 1
    assert tried > 500


def leaves(value, places=()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        yield (*places, key)
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*places, key))


def put(content, places, value):
    *way, last = places
    for place in way:
        content = content[place]
    if value is edit:
        del content[last]
    else:
        content[last] = value


def edit(folder, places, value):
    """Put a value into a field of the manifest; `edit` itself takes the field out."""
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    put(content, places, value)
    path.write_text(json.dumps(content))
