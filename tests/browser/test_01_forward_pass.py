"""Lesson 01 in a real browser: the neuron moved, a digit followed, an exercise solved."""

from __future__ import annotations

import pytest

LESSON = "01_forward_pass"

TRANSPOSED = """
def dense(x, w, b):
    return x @ w.T + b
"""

RIGHT = """
def dense(x, w, b):
    return x @ w + b
"""

LARGE = """
wide = ak.network.Network([64, 10_000, 300], seed=7)
views.JourneyExplorer(wide, x[:1])
"""


FINE = """
views.NeuronExplorer(w=(1.23, -0.77), b=1 / 3, limit=0.05, at=(0.01, -0.02))
"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


def again(lesson, cell, name):
    """A view as its cell makes it, untouched by other tests."""
    lesson.run_cell(cell)
    lesson.wait_until_idle()
    return lesson.view(name)


@pytest.fixture
def neuron(lesson):
    return again(lesson, "neuron-explorer", "NeuronExplorer")


@pytest.fixture
def journey(lesson):
    return again(lesson, "journey-explorer", "JourneyExplorer")


def drag_to_the_end(view, description):
    """Pull a slider's handle with the mouse as far to the right as it goes."""
    track = view.box(description).locator(".noUi-base").bounding_box()
    handle = view.control(description).bounding_box()
    height = handle["y"] + handle["height"] / 2
    mouse = view.lesson.page.mouse
    mouse.move(handle["x"] + handle["width"] / 2, height)
    mouse.down()
    mouse.move(track["x"] + track["width"] + 20, height)
    mouse.up()


def test_the_neuron_moves_by_mouse(neuron):
    assert "2 * 1.5 + 1 * (-1) + 0.5 = 2.50" in neuron.says()
    neuron.changes(lambda: drag_to_the_end(neuron, "weight 1"))
    assert "2 * 4 + 1 * (-1) + 0.5 = 7.50" in neuron.says()
    assert neuron.alt() == neuron.says()
    neuron.changes(lambda: neuron.control("activation").select_option("relu"))
    assert "a = relu(z) = 7.50" in neuron.says()


@pytest.mark.parametrize(
    ("description", "key", "sum_"),
    [
        ("weight 1", "ArrowRight", "2 * 1.6 + 1 * (-1) + 0.5 = 2.70"),
        ("weight 2", "ArrowLeft", "2 * 1.5 + 1 * (-1.1) + 0.5 = 2.40"),
        ("bias", "ArrowLeft", "2 * 1.5 + 1 * (-1) + 0.4 = 2.40"),
        ("bias", "Home", "2 * 1.5 + 1 * (-1) + (-4) = -2.00"),
        ("input x1", "ArrowRight", "2.1 * 1.5 + 1 * (-1) + 0.5 = 2.65"),
        ("input x2", "End", "2 * 1.5 + 3 * (-1) + 0.5 = 0.50"),
    ],
)
def test_the_neuron_moves_by_keyboard(neuron, description, key, sum_):
    handle = neuron.control(description)
    handle.focus()
    neuron.changes(lambda: handle.press(key))
    assert sum_ in neuron.says()


def test_every_control_of_the_neuron_is_reached_by_tab(neuron):
    page = neuron.lesson.page
    neuron.control("weight 1").focus()
    order = ["weight 2", "bias", "input x1", "input x2", "activation"]
    focused = "control => control === document.activeElement"
    for description in order:
        control = neuron.control(description)
        for _ in range(3):
            page.keyboard.press("Tab")
            if control.evaluate(focused):
                break
        assert control.evaluate(focused), f"Tab does not reach {description}"
    neuron.changes(lambda: page.keyboard.press("ArrowDown"))
    assert "a = tanh(z)" in neuron.says()
    neuron.changes(lambda: page.keyboard.press("r"))
    assert "a = relu(z)" in neuron.says()


def test_the_border_leaves_the_map_and_it_is_said(neuron):
    for description, keys in (("weight 1", "0"), ("weight 2", "0"), ("bias", "4")):
        readout = neuron.box(description).locator(".widget-readout")
        readout.fill(keys)
        neuron.changes(lambda readout=readout: readout.press("Enter"))
    assert "There is no border on this map: z is above 0 everywhere." in neuron.says()


def test_a_digit_travels_by_keyboard(journey):
    assert journey.says() == "Digit 0: a 3. 64 numbers, 36 of them above 0."
    layer = journey.control("layer")
    layer.focus()
    journey.changes(lambda: layer.press("ArrowRight"))
    assert journey.says().startswith("Layer 0 (relu) made 128 numbers of 64: 70 are 0")
    journey.changes(lambda: layer.press("End"))
    assert "the network says 6" in journey.says()
    assert journey.says().endswith("The truth is 3.")
    digit = journey.control("digit")
    digit.focus()
    journey.changes(lambda: digit.press("ArrowRight"))
    assert journey.says().endswith("The truth is 8.")
    assert journey.alt() == journey.says()


def test_a_digit_travels_by_mouse(journey):
    journey.changes(lambda: drag_to_the_end(journey, "layer"))
    assert "Layer 2, the last" in journey.says()
    journey.changes(lambda: drag_to_the_end(journey, "digit"))
    assert "The truth is" in journey.says()


@pytest.mark.parametrize("name", ["NeuronExplorer", "JourneyExplorer"])
def test_a_view_is_there_in_a_second(lesson, name):
    assert lesson.first_paint(name) < 5


def test_the_views_are_looked_at_in_both_themes(lesson, neuron, journey):
    layer = journey.control("layer")
    for theme in ("light", "dark"):
        lesson.theme(theme)
        lesson.view("NeuronExplorer")
        lesson.picture("neuron-page")
        neuron.picture("neuron")
        lesson.view("JourneyExplorer")
        layer.focus()
        journey.changes(lambda: layer.press("ArrowRight"))
        journey.picture(f"journey-{theme}")
        lesson.picture("journey-page")
        journey.changes(lambda: layer.press("End"))
        journey.picture("journey-end")
        journey.changes(lambda: layer.press("Home"))


def test_the_figures_and_exercises_are_looked_at_in_both_themes(lesson):
    cells = ("title", "picture", "neuron-map", "activations", "journey", "loss-figure")
    cells += ("large-figure", "exercise-dense", "exercise-softmax", "progress")
    lesson.pictures(*cells)


def test_a_mistake_is_named_and_then_the_answer_is_right(lesson):
    assert "Not attempted" in lesson.run_cell("exercise-dense-check")
    lesson.write("exercise-dense-answer", TRANSPOSED)
    lesson.run_cell("exercise-dense-answer")
    assert "You used w transposed" in lesson.run_cell("exercise-dense-check")
    lesson.show("exercise-dense-check")
    for theme in ("dark", "light"):
        lesson.theme(theme)
        lesson.picture("mistake")
    lesson.write("exercise-dense-answer", RIGHT)
    lesson.run_cell("exercise-dense-answer")
    assert "Correct" in lesson.run_cell("exercise-dense-check")
    assert "1 of 6" in lesson.run_cell("progress")


def test_ten_thousand_units_are_thinned_out(lesson):
    lesson.write("journey-explorer", LARGE)
    view = again(lesson, "journey-explorer", "JourneyExplorer")
    layer = view.control("layer")
    layer.focus()
    view.changes(lambda: layer.press("ArrowRight"))
    assert "Only every 40th unit is drawn." in view.says()
    view.picture("large-layer")
    view.changes(lambda: layer.press("End"))
    assert "Only the 12 largest are drawn." in view.says()
    view.picture("large-end")


def test_the_page_keeps_the_numbers_that_were_passed(lesson):
    lesson.write("neuron-explorer", FINE)
    view = again(lesson, "neuron-explorer", "NeuronExplorer")
    passed = "0.01 * 1.23 + (-0.02) * (-0.77) + 0.333333 = 0.36"
    assert passed in view.says()
    lesson.page.wait_for_timeout(1500)
    assert passed in view.says()
    for description, key, product in (
        ("input x1", "ArrowRight", "0.011 * 1.23"),
        ("weight 1", "ArrowLeft", "0.011 * 1.22"),
        ("bias", "ArrowRight", "+ 0.433333 ="),
        ("input x2", "End", "0.05 * (-0.77)"),
    ):
        handle = view.control(description)
        handle.focus()
        view.changes(lambda handle=handle, key=key: handle.press(key))
        assert product in view.says()
