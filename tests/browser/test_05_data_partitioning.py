"""Lesson 05 in a real browser: the explorer moved, an exercise solved."""

from __future__ import annotations

import re

import pytest

LESSON = "05_data_partitioning"

LIKE_JAVA = """
def partition_id(keys, parts):
    return np.fmod(np.fmod(np.fmod(keys, P) * A + B, P), parts)
"""

RIGHT = """
def partition_id(keys, parts):
    return (keys % P * A + B) % P % parts
"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


@pytest.fixture
def explorer(lesson):
    """The explorer as the lesson shows it first."""
    lesson.run_cell("explorer")
    lesson.wait_until_idle()
    return lesson.view("PartitionExplorer")


def moved(view):
    """The share of the rows that the sentence says would move, in per cent."""
    return float(re.search(r"one part more ([\d.]+)% of the rows move", view.says())[1])


def test_a_key_adds_a_part_and_the_sentence_says_what_moves(explorer):
    assert explorer.says().startswith("By hash of user_id, 100,000 rows lie in 8 parts of ")
    parts = explorer.control("parts")
    parts.focus()
    explorer.changes(lambda: parts.press("ArrowRight"))
    assert "rows lie in 9 parts" in explorer.says()
    assert "of keys 90.0% are expected to move" in explorer.says()
    explorer.changes(lambda: parts.press("Home"))
    assert "rows lie in 1 part of 100,000 to 100,000: skew 1.00" in explorer.says()
    assert explorer.alt() == explorer.says()


def test_method_and_key_are_chosen_with_keys_and_mouse(explorer):
    method = explorer.control("method")
    method.focus()
    explorer.changes(lambda: method.press("ArrowDown"))
    assert explorer.says().startswith("By rendezvous of user_id")
    assert "all of them to the new one" in explorer.says()
    by_rendezvous = moved(explorer)
    explorer.changes(lambda: method.select_option("round robin"))
    assert explorer.says().startswith("Dealt in turn, 100,000 rows lie in 8 parts of 12,500 to")
    assert moved(explorer) > 4 * by_rendezvous
    explorer.changes(lambda: method.select_option("window"))
    assert "no row moves" in explorer.says()
    key = explorer.control("key")
    explorer.changes(lambda: key.select_option("ts_ms"))
    assert "By window of ts_ms" in explorer.says()


def test_a_key_with_two_values_leaves_parts_empty(explorer):
    key = explorer.control("key")
    explorer.changes(lambda: key.select_option("label"))
    assert "6 of them empty: skew 4.0" in explorer.says()


def test_the_view_paints_when_its_cell_is_run(lesson):
    """The seconds are for the summary; here it counts that there is a picture at all."""
    assert lesson.first_paint("PartitionExplorer") > 0


def test_a_mistake_is_named_and_the_right_answer_counts(lesson):
    assert "____" in lesson.run_cell("hash-exercise-check")
    lesson.write("hash-exercise-answer", LIKE_JAVA)
    lesson.run_cell("hash-exercise-answer")
    assert "Your remainders keep the sign of the key" in lesson.run_cell("hash-exercise-check")
    lesson.write("hash-exercise-answer", RIGHT)
    lesson.run_cell("hash-exercise-answer")
    assert lesson.run_cell("hash-exercise-check").startswith("Correct.")
    assert "1 of 5 exercises solved" in lesson.run_cell("progress")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_are_kept_for_a_person(lesson, theme):
    lesson.theme(theme)
    view = lesson.view("PartitionExplorer")
    assert view.picture("partitionexplorer").stat().st_size > 10_000
    for cell in ("title", "picture-rows", "picture-columns", "hash-exercise-lead", "explorer-text"):
        lesson.show(cell)
        lesson.page.wait_for_timeout(500)
        lesson.picture(cell)
    lesson.show("progress-text")
    lesson.page.wait_for_timeout(500)
    lesson.picture("end")
