"""Lesson 02 in a real browser: the graph is stepped through, and an exercise solved."""

from __future__ import annotations

import pytest

LESSON = "02_backpropagation"

WRONG = """
def relu_gradient(z, a, upstream):
    return upstream * (a >= 0)
"""

RIGHT = """
def relu_gradient(z, a, upstream):
    return upstream * (a > 0)
"""

MINE = """
x = ak.network.Value(3, "x")
views.GraphStepper({"mine": x * x + x})
"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


@pytest.fixture
def stepper(lesson):
    """The stepper at its start."""
    view = lesson.view("GraphStepper")
    menu = view.control("graph")
    menu.select_option(index=1)
    menu.select_option(index=0)
    lesson.page.wait_for_function(
        "view => view.innerText.includes('Step 0 of 12.')", arg=view.element.element_handle()
    )
    return view


def test_the_stepper_goes_by_mouse(stepper):
    seconds = stepper.changes(stepper.control("next").click)
    assert "u = w * x = 6" in stepper.says()
    stepper.changes(stepper.control("next").click)
    assert "z = u + b = 5" in stepper.says()
    stepper.changes(stepper.control("back").click)
    assert "u = w * x = 6" in stepper.says()
    assert seconds < 5

    handle = stepper.control("step")
    track = stepper.box("step").locator(".noUi-base").bounding_box()
    start = handle.bounding_box()
    mouse = stepper.lesson.page.mouse
    mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    mouse.down()

    def drag_to_the_end():
        mouse.move(track["x"] + track["width"] + 20, start["y"] + start["height"] / 2, steps=4)
        mouse.up()

    stepper.changes(drag_to_the_end)
    assert stepper.says().startswith("Step 12 of 12.")
    assert "grad of x += slope 2 x grad 8 of u: now 16" in stepper.says()
    assert stepper.alt() == stepper.says()


def test_the_stepper_goes_by_keyboard(stepper):
    handle = stepper.control("step")
    handle.focus()
    for step in range(1, 6):
        stepper.changes(lambda: handle.press("ArrowRight"))
        assert stepper.says().startswith(f"Step {step} of 12.")
    assert "the gradient of L by itself is 1" in stepper.says()
    stepper.changes(lambda: handle.press("ArrowLeft"))
    assert "L = e ** 2 = 16" in stepper.says()

    forth = stepper.control("next")
    forth.focus()
    stepper.changes(lambda: forth.press("Space"))
    stepper.changes(lambda: forth.press("Enter"))
    assert "grad of e += slope 8 x grad 1 of L: now 8" in stepper.says()

    menu = stepper.control("graph")
    menu.focus()
    stepper.changes(lambda: menu.press("End"))
    assert stepper.says() == "Step 0 of 14. Given: w = 1, x = -2, b = 0.5, y = 1."


def test_each_graph_is_walked_to_its_end_and_looked_at(stepper):
    lesson = stepper.lesson
    stepper.picture("start")
    for number in (1, 2, 3):
        menu = stepper.control("graph")
        stepper.changes(lambda number=number, menu=menu: menu.select_option(index=number))
        handle = stepper.control("step")
        handle.focus()
        stepper.changes(lambda handle=handle: handle.press("End"))
        assert stepper.says().endswith("All gradients are whole.")
        for _ in range(2):
            stepper.changes(lambda handle=handle: handle.press("ArrowLeft"))
        stepper.picture(f"graph-{number}")
        lesson.picture(f"page-{number}")
        if number == 1:
            assert "grad of a += slope 1 x grad 4 of c: now 4" in stepper.says()
            lesson.theme("dark")
            stepper.picture(f"graph-{number}")
            lesson.picture(f"page-{number}")
            lesson.theme("light")


def test_the_stepper_is_there_in_a_second(lesson):
    assert lesson.first_paint("GraphStepper") < 5


def test_the_figures_beside_it_are_legible_in_both_themes(lesson):
    lesson.pictures("value-figure", "order-figure", "check-figure", "exercise-dense-check")


def test_a_mistake_is_named_and_then_the_answer_is_right(lesson):
    assert "Not attempted" in lesson.run_cell("exercise-relu-check")
    lesson.write("exercise-relu-answer", WRONG)
    lesson.run_cell("exercise-relu-answer")
    said = lesson.run_cell("exercise-relu-check")
    assert "always true" in said
    lesson.show("exercise-relu-check")
    lesson.picture("mistake")
    lesson.theme("dark")
    lesson.picture("mistake")
    lesson.write("exercise-relu-answer", RIGHT)
    lesson.run_cell("exercise-relu-answer")
    assert "Correct" in lesson.run_cell("exercise-relu-check")
    assert "1 of 6" in lesson.run_cell("progress")
    lesson.show("progress")
    lesson.picture("progress")


def test_a_graph_of_ones_own_is_stepped_through(lesson):
    lesson.write("stepper", MINE)
    lesson.run_cell("stepper")
    view = lesson.view("GraphStepper")
    forth = view.control("next")
    for _ in range(7):
        view.changes(forth.click)
    assert "grad of x += slope 3 x grad 1 of v1: now 7. All gradients are whole." in view.says()
    view.picture("mine")
