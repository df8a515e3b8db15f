"""What the figures of lesson 5 show is what the plans make of a table."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from amaas_kit.errors import DataError
from amaas_kit.partition import Plan, gini_of, part_sizes, skew_of
from amaas_kit.partition.reference import hash_parts
from amaas_kit.partition.source import Table
from amaas_kit.partition.trial import METHODS, Trial
from amaas_kit.views import data_partitioning as views

ROWS = 3000


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(2)
    return pl.DataFrame(
        {
            "id": np.arange(ROWS),
            "user": rng.zipf(1.5, ROWS) % 300,
            "name": rng.choice(["anna", "ben", "a name that is much longer than a cell"], ROWS),
            "value": rng.normal(size=ROWS),
        }
    )


@pytest.fixture(scope="module")
def table(frame, tmp_path_factory):
    path = tmp_path_factory.mktemp("views") / "rows.parquet"
    frame.write_parquet(path)
    return Table.open(path)


def titles(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_weight() == "bold"]


def cells(figure):
    """(x, y) -> text and colour of each cell of a drawn table."""
    axis = figure.axes[0]
    texts = {text.get_position(): text.get_text() for text in axis.texts}
    return {
        cell.xy: (texts[cell.xy[0] + 0.5, cell.xy[1] + 0.5], to_hex(cell.get_facecolor()))
        for cell in axis.patches
        if isinstance(cell, Rectangle)
    }


def column_at(figure, x):
    """The cells of the column whose left edge is at x, from top to bottom."""
    found = cells(figure)
    return [found[place] for place in sorted(found) if place[0] == pytest.approx(x)]


def test_rows_have_the_colour_of_their_part_and_lie_in_it(table, frame):
    figure = views.draw_plan(Plan.hash("user", 3), table, ["id", "user"], rows=9)
    parts = hash_parts(frame["user"][:9].to_numpy(), 3)
    assert titles(figure) == [
        "the table, 9 of 3,000 rows",
        *[f"part {part}" for part in np.unique(parts)],
    ]
    whole, apart = column_at(figure, 0), column_at(figure, 3.6)
    assert [text for text, _ in whole] == [str(number) for number in range(9)]
    assert [colour for _, colour in whole] == [to_hex(views.TINTS[part]) for part in parts]
    assert [text for text, _ in apart] == [str(i) for i in np.argsort(parts, kind="stable")]
    assert sorted(apart) == sorted(whole)


def test_columns_have_the_colour_of_their_group_and_each_group_has_the_key(table):
    plan = Plan.columns({"who": ["user", "name"], "what": ["value"]}, "id")
    figure = views.draw_plan(plan, table, ["id", "user", "value"], rows=4)
    assert titles(figure)[1:] == ["part 0: who", "part 1: what"]
    key, user, value = (column_at(figure, x) for x in range(3))
    first, second = (to_hex(views.TINTS[part]) for part in (0, 1))
    assert [{colour for _, colour in column} for column in (key, user, value)] == [
        {"#ffffff"},
        {first},
        {second},
    ]
    ids = ["0", "1", "2", "3"]
    for x, colour in ((4.6, first), (7.1, second)):
        assert column_at(figure, x) == [(number, colour) for number in ids]


def test_rows_and_columns_are_cut_at_once(table):
    plan = Plan.hash("user", 2).then(Plan.columns([["user", "name"], ["value"]], "id"))
    figure = views.draw_plan(plan, table, ["id", "user", "value"], rows=8)
    assert titles(figure)[1:] == ["part 0", "part 1", "part 2", "part 3"]


def test_what_is_too_long_for_a_cell_is_cut(table):
    figure = views.draw_plan(Plan.round_robin(2), table, ["name", "value"], rows=8)
    texts = [text for text, _ in cells(figure).values()]
    assert max(map(len, texts)) == 16
    assert "a name that is …" in texts
    assert any(re.fullmatch(r"-?\d\.\d\d", text) for text in texts)


def test_a_plan_that_does_not_fit_the_table_is_refused(table):
    with pytest.raises(DataError, match="there is no column 'usr'"):
        views.draw_plan(Plan.hash("usr", 3), table, ["id"])


def test_sizes_have_a_panel_each_with_skew_and_gini():
    sizes = {"hash": [5, 7, 0], "dealt": [4, 4, 4]}
    figure = views.draw_sizes(sizes)
    for axis, (name, known) in zip(figure.axes, sizes.items(), strict=True):
        assert [bar.get_height() for bar in axis.patches] == known
        assert axis.lines[0].get_ydata()[0] == pytest.approx(4)
        facts = f"skew {skew_of(known):.2f}   Gini {gini_of(known):.2f}"
        assert axis.get_title() == f"{name}\n{facts}"


def test_measured_shares_are_dots_and_expected_ones_lines():
    axis = views.draw_moves([1, 2, 3], {"a": [0.4, 0.6, 0.8]}, {"n": [0.5, 0.7, 0.75]}).axes[0]
    lines = {line.get_label(): line for line in axis.lines}
    assert lines["a"].get_ydata().tolist() == [0.4, 0.6, 0.8]
    assert lines["a"].get_linestyle() == "None"
    assert axis.lines[0].get_ydata().tolist() == [0.5, 0.7, 0.75]
    assert [text.get_text() for text in axis.texts] == ["n"]


def test_bytes_are_drawn_in_megabytes():
    axis = views.draw_bytes({"all": 12_000_000, "two": 3_000_000}).axes[0]
    assert [bar.get_width() for bar in axis.patches] == [12, 3]
    assert [text.get_text() for text in axis.texts] == ["12.0 MB", "3.0 MB"]
    [text] = views.draw_bytes({"all": None}).axes[0].texts
    assert text.get_text() == "not counted"


def bars(figure):
    """Lower and upper ends of the bars: stay and leave on the left, stay and arrive on the right.

    Returns:
        Four arrays (parts, 2).
    """
    found = []
    for collection in figure.axes[0].collections:
        corners = [path.vertices for path in collection.get_paths()]
        if collection.get_facecolor().size and len(corners[0]) > 3:
            found.append(np.array([(c[:, 1].min(), c[:, 1].max()) for c in corners]))
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("parts", [1, 4, 16])
def test_the_bars_are_the_rows_that_stay_leave_and_arrive(table, method, parts):
    explorer = views.PartitionExplorer(table, ["user", "id"], method, parts)
    trial = Trial(table, "user", ROWS)
    before, after = trial.numbers(method, parts), trial.with_one_more(method, parts)
    stays, leaves, was_here, arrives = bars(explorer.figure())
    assert (leaves[:, 1]).tolist() == part_sizes(before, parts).tolist()
    assert (arrives[:, 1]).tolist() == part_sizes(after, parts + 1).tolist()
    assert stays[:, 1].tolist() == part_sizes(before[before == after], parts).tolist()
    assert was_here[:, 1].tolist() == part_sizes(after[before == after], parts + 1).tolist()
    assert np.array_equal(leaves[:, 0], stays[:, 1])
    assert np.array_equal(arrives[:, 0], was_here[:, 1])


def test_the_sentence_has_sizes_skew_gini_and_what_moves(table):
    explorer = views.PartitionExplorer(table, ["user"], parts=4)
    before, after = (hash_parts(Trial(table, "user", ROWS).key.to_numpy(), n) for n in (4, 5))
    sizes = part_sizes(before, 4)
    to_new = np.count_nonzero((before != after) & (after == 4))
    assert explorer.sentence == (
        f"By hash of user, 3,000 rows lie in 4 parts of {sizes.min():,} to {sizes.max():,}: "
        f"skew {skew_of(sizes):.2f}, Gini {gini_of(sizes):.2f}. "
        f"With one part more {np.mean(before != after):.1%} of the rows move, {to_new:,} rows to "
        "the new one; of keys 80.0% are expected to move, and a new part's fair share is 20.0%."
    )


def test_each_control_paints_and_says_something_else(table):
    explorer = views.PartitionExplorer(table, ["user", "id"])
    said = {explorer.sentence}
    changes = (
        (explorer.parts, 3), (explorer.key, "id"), (explorer.method, "rendezvous"),
        (explorer.method, "range"), (explorer.method, "window"), (explorer.method, "round robin"),
    )  # fmt: skip
    for count, (control, value) in enumerate(changes, 2):
        control.value = value
        said.add(explorer.sentence)
        assert len(said) == count
        assert explorer._picture.png


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("rendezvous", "all of them to the new one"),
        ("range", "because all bounds are chosen anew"),
        ("window", "no row moves"),
        ("round robin", "Dealt in turn, "),
    ],
)
def test_each_method_has_its_own_words(table, method, words):
    assert words in views.PartitionExplorer(table, ["id"], method).sentence


def test_where_nothing_moves_no_reason_is_given(table, tmp_path):
    pl.DataFrame({"id": [5, 5, 5]}).write_parquet(tmp_path / "same.parquet")
    same = Table.open(tmp_path / "same.parquet")
    for method in ("range", "rendezvous"):
        sentence = views.PartitionExplorer(same, ["id"], method, parts=8).sentence
        assert "With one part more no row moves; a new part's fair share is 11.1%." in sentence


def test_only_some_rows_are_looked_at_and_that_is_said(table):
    explorer = views.PartitionExplorer(table, ["id"], "round robin", 4, rows=1000)
    assert "the first 1,000 rows lie in 4 parts of 250 to 250" in explorer.sentence


def test_a_method_that_cannot_cut_the_key_is_said_without_a_picture(table):
    explorer = views.PartitionExplorer(table, ["user", "name"])
    explorer.key.value = "name"
    assert "By hash of name" in explorer.sentence
    explorer.method.value = "window"
    assert "windows are cut by times and whole numbers" in explorer.sentence
    assert explorer._picture.png == b""
    explorer.key.value = "user"
    assert explorer._picture.png


def test_empty_parts_are_counted_in_words(table):
    explorer = views.PartitionExplorer(table, ["name"], "range", parts=8)
    assert "5 of them empty" in explorer.sentence


@pytest.mark.parametrize(
    "wrong",
    [{"keys": ["id", "usr"]}, {"keys": []}, {"method": "alphabet"}, {"parts": 0}, {"parts": 17}],
    ids=str,
)
def test_settings_that_fit_nothing_are_refused(table, wrong):
    with pytest.raises(DataError, match="While making a PartitionExplorer"):
        views.PartitionExplorer(table, **wrong)


def test_the_plain_figure_is_the_explorers(table):
    explorer = views.PartitionExplorer(table, ["user"], "hash", 6)
    plain = views.draw_trial(Trial(table, "user", ROWS), "hash", 6)
    for shown, drawn in zip(bars(explorer.figure()), bars(plain), strict=True):
        assert np.array_equal(shown, drawn)
