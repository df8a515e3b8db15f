"""Lesson 03 in a real browser: a walk is steered, a network moved, an exercise solved."""

from __future__ import annotations

import re

import pytest

LESSON = "03_gradient_descent"

IN_PLACE = """
def update(w, dw, lr):
    w -= lr * dw
    return w
"""

RIGHT = """
def update(w, dw, lr):
    return w - lr * dw
"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


@pytest.fixture
def explorer(lesson):
    """The explorer as the lesson shows it first."""
    lesson.run_cell("explorer")
    return lesson.view("DescentExplorer")


@pytest.fixture
def landscape(lesson):
    """The landscape, with both sliders in the middle."""
    lesson.run_cell("landscape")
    return lesson.view("LossLandscape")


def drag(view, description, share):
    """Pull the handle of a slider to a share of its track."""
    handle, mouse = view.control(description), view.lesson.page.mouse
    handle.scroll_into_view_if_needed()
    track = view.box(description).locator(".noUi-base").bounding_box()
    start = handle.bounding_box()
    y = start["y"] + start["height"] / 2
    mouse.move(start["x"] + start["width"] / 2, y)
    mouse.down()
    mouse.move(track["x"] + share * track["width"], y, steps=4)
    mouse.up()


def wait_for(view, words):
    """Wait until the sentence says so: on a busy machine a drag arrives in several parts."""
    view.element.locator(".amaas-says", has_text=words).wait_for()


def test_one_key_brings_the_rate_below_the_limit(explorer):
    assert "It diverges: the rate 0.0813 is above the limit 2 / 25 = 0.08." in explorer.says()
    rate = explorer.control("rate")
    rate.focus()
    explorer.changes(lambda: rate.press("ArrowLeft"))
    assert "It converges: the rate 0.0794 is below the limit 2 / 25 = 0.08." in explorer.says()
    assert explorer.alt() == explorer.says()
    explorer.changes(lambda: rate.press("ArrowRight"))
    assert "It diverges" in explorer.says()


def test_the_walk_goes_step_by_step(explorer):
    assert "after step 60" in explorer.says()
    explorer.changes(lambda: drag(explorer, "step", -0.1))
    wait_for(explorer, "the loss is 68.6 after step 0, from 68.6")
    step = explorer.control("step")
    step.focus()
    for number in (1, 2, 3):
        explorer.changes(lambda: step.press("ArrowRight"))
        assert f"after step {number}," in explorer.says()


def test_surface_and_rule_are_chosen_with_mouse_and_keys(explorer):
    assert not explorer.box("momentum").is_visible()
    rule = explorer.control("rule")
    explorer.changes(lambda: rule.select_option("Nesterov"))
    assert "is above the limit 2 (1 + 0.90) / (1 + 2 x 0.90) / 25 = 0.0543" in explorer.says()
    rule.focus()
    explorer.changes(lambda: rule.press("ArrowUp"))
    assert explorer.says().startswith("Momentum on the valley")
    assert "is below the limit 2 (1 + 0.90) / 25 = 0.152" in explorer.says()
    momentum = explorer.control("momentum")
    momentum.focus()
    explorer.changes(lambda: momentum.press("ArrowLeft"))
    assert "2 (1 + 0.89) / 25" in explorer.says()
    surface = explorer.control("surface")
    explorer.changes(lambda: surface.select_option("bent valley"))
    assert "on this surface the limit changes from place to place" in explorer.says()


def test_the_largest_rate_of_the_slider_ends_in_a_sentence(explorer):
    explorer.changes(lambda: drag(explorer, "rate", 1.1))
    wait_for(explorer, "the rate 10 is above the limit")
    assert "leaves the numbers that can be computed with" in explorer.says()


def test_the_network_is_moved_with_keys_and_mouse(landscape):
    assert landscape.says().startswith("At the trained network the loss is 0.08, with all")
    first = landscape.control("direction 1")
    first.focus()
    landscape.changes(lambda: first.press("ArrowRight"))
    assert landscape.says().startswith("At (0.05, 0.00) the loss is 0.0")
    landscape.changes(lambda: drag(landscape, "direction 2", 1.1))
    wait_for(landscape, "At (0.05, 1.00)")
    found = re.match(r"At \(0\.05, 1\.00\) the loss is (\S+), at the trained", landscape.says())
    assert found
    assert float(found[1]) > 2
    assert landscape.alt() == landscape.says()


def test_both_views_paint_when_their_cell_is_run(lesson):
    """The seconds are for the summary; here it counts that there is a picture at all."""
    assert lesson.first_paint("DescentExplorer") > 0
    assert lesson.first_paint("LossLandscape") > 0


def test_a_mistake_is_named_and_the_right_answer_counts(lesson):
    assert "____" in lesson.run_cell("update-exercise-check")
    lesson.write("update-exercise-answer", IN_PLACE)
    lesson.run_cell("update-exercise-answer")
    assert "you changed the caller's array" in lesson.run_cell("update-exercise-check")
    lesson.write("update-exercise-answer", RIGHT)
    lesson.run_cell("update-exercise-answer")
    assert lesson.run_cell("update-exercise-check").startswith("Correct.")
    assert "1 of 6 exercises solved" in lesson.run_cell("progress")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_are_kept_for_a_person(lesson, theme):
    lesson.theme(theme)
    lesson.show("title")
    lesson.picture("start")
    for name in ("DescentExplorer", "LossLandscape"):
        view = lesson.view(name)
        assert view.picture(name.lower()).stat().st_size > 10_000
    lesson.show("update-exercise-lead")
    lesson.page.wait_for_timeout(500)
    lesson.picture("exercise")
    lesson.show("progress-text")
    lesson.page.wait_for_timeout(500)
    lesson.picture("end")
