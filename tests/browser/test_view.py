"""Any view in a real browser: a slider moved by key, by mouse and in a flood, and no flicker."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright import sync_api as playwright

CELLS = {
    "view": """
import ipywidgets
import numpy as np

import amaas_kit as ak
from amaas_kit.errors import DataError
from amaas_kit.views.view import View

rng = ak.setup(seed=7)


class Sine(View):
    def __init__(self):
        self.painted = 0
        self.frequency = ipywidgets.IntSlider(description="frequency", value=50, max=100)
        super().__init__([self.frequency])

    def paint(self, figure):
        self.painted += 1
        if not self.frequency.value:
            raise DataError("While drawing", "no wave", "it has no <b>frequency</b>", "choose one")
        axis = figure.add_axes((0.1, 0.12, 0.85, 0.85))
        x = np.linspace(0, 1, 200)
        axis.plot(x, np.sin(self.frequency.value * x))
        axis.set(xlabel="x", ylabel="y")
        return f"A sine of frequency {self.frequency.value}."


sine = Sine()
sine
""",
    "read": """
print(sine.frequency.value, sine.painted, sine.sentence)
""",
}

BLANKS = """view => {
  window.amaasBlanks = 0;
  const look = () => {
    const picture = view.querySelector('img.amaas-picture');
    if (!picture || picture.hidden || !picture.naturalWidth || !picture.clientHeight) {
      window.amaasBlanks += 1;
    }
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture(scope="module")
def opened():
    return []


@pytest.fixture
def view(open_lesson, opened):
    if not opened:
        cells = [new_code_cell(source.strip(), id=name) for name, source in CELLS.items()]
        opened.append(open_lesson(new_notebook(cells=cells)))
    return opened[0].view("Sine")


def frequency(view):
    return int(re.search(r"frequency (\d+)", view.says()).group(1))


def test_a_key_paints_the_next_value(view):
    slider = view.control("frequency")
    before = frequency(view)
    slider.focus()
    for _ in range(10):
        view.changes(lambda: slider.press("ArrowRight"))
    assert frequency(view) == before + 10
    assert view.alt() == view.says()
    view.lesson.first_paint("Sine")


def test_a_fast_drag_ends_with_its_last_value_painted(view):
    """The kernel paints some of the values only; the page must not stop at one of those."""
    handle = view.control("frequency").bounding_box()
    mouse, page = view.lesson.page.mouse, view.lesson.page
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2

    def drag():
        mouse.move(x, y)
        mouse.down()
        for step in range(60):
            mouse.move(x + (step % 30) * 2 - 30, y)
        mouse.move(x + 60, y)
        mouse.up()

    view.element.evaluate(BLANKS)
    drag()
    shown = int(view.element.locator(".widget-readout").inner_text())
    says = view.element.locator(".amaas-says")
    playwright.expect(says).to_have_text(f"A sine of frequency {shown}.", timeout=10_000)
    page.wait_for_timeout(1000)
    assert frequency(view) == shown
    value, _, said = view.lesson.run_cell("read").strip().split(maxsplit=2)
    assert (int(value), said) == (shown, f"A sine of frequency {shown}.")
    assert page.evaluate("window.amaasBlanks") == 0


def test_an_error_of_the_house_is_said_as_text_and_the_picture_goes(view):
    slider = view.control("frequency")
    slider.focus()
    view.changes(lambda: slider.press("Home"))
    assert "it has no <b>frequency</b>. To mend it: choose one." in view.says()
    assert not view.element.locator("img.amaas-picture").is_visible()
    view.lesson.theme("dark")
    view.picture("error")
    view.changes(lambda: slider.press("ArrowRight"))
    assert frequency(view) == 1
    assert view.element.locator("img.amaas-picture").is_visible()
