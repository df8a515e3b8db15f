"""Lesson 06 in a real browser: all engines run, the views are moved, Spark checks an answer."""

from __future__ import annotations

import re

import pytest

from amaas_kit.partition import engine

LESSON = "06_distributed_engines"

SIGN_KEPT = """
def spark_part(key, parts):
    return f"COALESCE(({key} % {P} * {A} + {B}) % {P} % {parts}, 0)"
"""

RIGHT = """
def spark_part(key, parts):
    return f"COALESCE((PMOD({key}, {P}) * {A} + {B}) % {P} % {parts}, 0)"
"""

OVERFLOW = """
def spark_part(key, parts):
    return f"COALESCE(PMOD({key} * {A} + {B}, {P}) % {parts}, 0)"
"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


@pytest.fixture
def comparison(lesson):
    """The engines as they were measured, with one cut a start."""
    lesson.run_cell("comparison")
    lesson.wait_until_idle()
    return lesson.view("EngineComparison")


@pytest.fixture
def paper(lesson):
    """The cluster on paper as the lesson shows it first."""
    lesson.run_cell("paper-view")
    lesson.wait_until_idle()
    return lesson.view("ClusterOnPaper")


def seconds_of(view, name):
    """The seconds that the sentence gives an engine."""
    return float(re.search(rf"{name} (\S+) s", view.says())[1])


def test_the_lesson_runs_to_its_end_and_says_which_engines_are_here(lesson):
    ready = [name for name in ("local", "spark", "flink", "hadoop") if engine(name).available()]
    shown = "".join("".join(out["text"]) for out in lesson.cells[lesson.at("engines")]["outputs"])
    assert re.findall(r"^(\w+) +ready$", shown, re.MULTILINE) == ready
    assert "local: 100,000 rows in 8 parts" in lesson.last_line("run-local")


def test_cuts_share_a_start(comparison):
    assert comparison.says().startswith("One start for 1 cut: local ")
    alone = seconds_of(comparison, "local")
    cuts = comparison.control("cuts per start")
    cuts.focus()
    comparison.changes(lambda: cuts.press("ArrowRight"))
    assert comparison.says().startswith("One start for 2 cuts: local ")
    comparison.changes(lambda: cuts.press("End"))
    assert comparison.says().startswith("One start for 1,000 cuts: ")
    assert seconds_of(comparison, "local") <= alone
    assert comparison.alt() == comparison.says()


def test_a_cluster_on_paper_is_changed_with_keys(paper):
    assert re.match(r"A table of 1,000 GB: alone \S+ (h|min|s); 100 machines \S+ ", paper.says())
    assert re.search(r"From \S+ GB on the cluster is faster\.", paper.says())
    start = paper.control("start, s")
    start.focus()
    paper.changes(lambda: start.press("Home"))
    assert "(start 0 s, " in paper.says()
    assert "The cluster is always faster." in paper.says()
    machines = paper.control("machines")
    machines.focus()
    paper.changes(lambda: machines.press("Home"))
    assert "; 1 machine " in paper.says()
    assert "The cluster is never faster." in paper.says()


def test_the_network_is_pulled_with_the_mouse(paper):
    handle, mouse = paper.control("network, Gbit/s"), paper.lesson.page.mouse
    handle.scroll_into_view_if_needed()
    track = paper.box("network, Gbit/s").locator(".noUi-base").bounding_box()
    at = handle.bounding_box()
    y = at["y"] + at["height"] / 2
    mouse.move(at["x"] + at["width"] / 2, y)
    mouse.down()

    def pull():
        mouse.move(track["x"] - 5, y, steps=4)
        mouse.up()

    paper.changes(pull)
    paper.element.locator(".amaas-says", has_text="network 2.2 h").wait_for()


def test_both_views_paint_when_their_cell_is_run(lesson):
    """The seconds are for the summary; here it counts that there is a picture at all."""
    assert lesson.first_paint("EngineComparison") > 0
    assert lesson.first_paint("ClusterOnPaper") > 0


def test_spark_judges_answers_and_names_mistakes(lesson):
    if not engine("spark").available():
        pytest.skip(f"{engine('spark').available().reason}; {engine('spark').available().command}")
    assert "____" in lesson.run_cell("sql-exercise-check")
    for answer, said in (
        (SIGN_KEPT, "keeps the sign of the number on its left"),
        (OVERFLOW, "[ARITHMETIC_OVERFLOW]"),
    ):
        lesson.write("sql-exercise-answer", answer.strip())
        lesson.run_cell("sql-exercise-answer")
        assert said in lesson.run_cell("sql-exercise-check")
    lesson.show("sql-exercise-check")
    lesson.picture("mistake")
    lesson.write("sql-exercise-answer", RIGHT.strip())
    lesson.run_cell("sql-exercise-answer")
    assert lesson.run_cell("sql-exercise-check").startswith("Correct.")
    assert "1 of 4 exercises solved" in lesson.run_cell("progress")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_are_kept_for_a_person(lesson, theme):
    lesson.theme(theme)
    for name in ("EngineComparison", "ClusterOnPaper"):
        view = lesson.view(name)
        assert view.picture(name.lower()).stat().st_size > 10_000
    for cell in ("title", "picture", "spark-sql-text", "reconcile-exercise-lead", "pays-text"):
        lesson.show(cell)
        lesson.page.wait_for_timeout(500)
        lesson.picture(cell)
