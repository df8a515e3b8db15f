"""The digit pad in a real browser: drawn on by mouse and by keys, in both themes."""

from __future__ import annotations

import math
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

CELLS = {
    "train": """
import amaas_kit as ak
from amaas_kit.views.digit_pad import DigitPad

rng = ak.setup(seed=7)
split = ak.data.load_digits()
net = ak.network.Network([64, 128, 64, 10], seed=7)
history = ak.training.fit(net, split, epochs=20, seed=7, progress=False)
""",
    "pad": """
pad = DigitPad(net)
pad
""",
    "read": """
print(pad.answer, len(pad.strokes), pad.image is None)
""",
    "emptied": """
pad.draw([])
""",
    "lost": """
gone = ak.serving.Client("http://127.0.0.1:9", timeout=1)
lost = DigitPad(gone)
lost
""",
}

SEVEN = [[(0.27, 0.2), (0.72, 0.18), (0.58, 0.48), (0.45, 0.82)]]

INK = """canvas => {
  const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let black = 0;
  for (let i = 0; i < dots.length; i += 4) black += dots[i] < 128;
  return black / (dots.length / 4);
}"""

ANSWER = re.compile(r"The model says (\d), with probability (\d\.\d\d)\.")


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    cells = [new_code_cell(source.strip(), id=name) for name, source in CELLS.items()]
    return new_notebook(cells=cells)


@pytest.fixture
def lesson(open_lesson, notebook, opened):
    if not opened:
        opened.append(open_lesson(notebook))
    return opened[0]


@pytest.fixture(scope="module")
def opened():
    return []


def circle():
    angles = [math.tau * i / 24 for i in range(25)]
    return [(0.5 + 0.22 * math.sin(a), 0.5 - 0.35 * math.cos(a)) for a in angles]


def bars(pad):
    """The ten numbers beside the bars."""
    return [float(text) for text in pad.element.locator(".amaas-number").all_inner_texts() if text]


def press(page, keys):
    """Press keys in turn: "Down*12" is twelve times the arrow."""
    for key in keys.split():
        name, _, times = key.partition("*")
        arrow = {"Up": "ArrowUp", "Down": "ArrowDown", "Left": "ArrowLeft", "Right": "ArrowRight"}
        for _ in range(int(times or 1)):
            page.keyboard.press(arrow.get(name, name))


def test_a_digit_drawn_with_the_mouse_is_answered(lesson):
    pad = lesson.view("DigitPad")
    assert pad.says() == "Nothing drawn yet."
    pad.changes(lambda: pad.draw(circle()))
    answer = ANSWER.fullmatch(pad.says())
    assert answer.group(1) == "0"
    assert max(bars(pad)) == float(answer.group(2))
    assert len(bars(pad)) == 10
    assert lesson.run_cell("read").strip() == "0 1 False"
    for theme in ("light", "dark"):
        lesson.theme(theme)
        lesson.view("DigitPad").picture("zero")


def test_clear_takes_drawing_and_answer_away(lesson):
    pad = lesson.view("DigitPad")
    pad.changes(lambda: pad.draw([(0.5, 0.1), (0.5, 0.9)]))
    pad.changes(pad.control("Clear").click)
    assert pad.says() == "Nothing drawn yet."
    assert bars(pad) == []
    assert lesson.run_cell("read").strip() == "None 0 True"


def test_cleared_in_the_middle_of_a_line_it_can_be_drawn_on_again(lesson):
    pad = lesson.view("DigitPad")
    mouse = lesson.page.mouse
    box = pad.element.locator(".amaas-paper").bounding_box()
    middle = box["x"] + box["width"] / 2
    mouse.move(middle, box["y"] + 20)
    mouse.down()
    mouse.move(middle, box["y"] + 60, steps=3)
    lesson.page.keyboard.press("Delete")
    mouse.move(middle, box["y"] + 90, steps=3)
    mouse.up()
    assert lesson.run_cell("read").strip() == "None 0 True"
    pad.changes(lambda: pad.draw(circle()))
    assert ANSWER.fullmatch(pad.says()).group(1) == "0"
    pad.changes(pad.control("Clear").click)


def test_a_digit_drawn_with_the_keyboard_is_answered(lesson):
    pad = lesson.view("DigitPad")
    page = lesson.page
    active = page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    pad.element.locator(".amaas-paper").focus()
    pad.changes(lambda: press(page, "Left*5 Space Right*10 Down*2 Left Down*14 Space"))
    assert ANSWER.fullmatch(pad.says()).group(1) == "7"
    assert pad.element.locator(".amaas-pen").inner_text() == "Pen up"
    pad.picture("keyboard")
    assert lesson.run_cell("read").split()[:2] == ["7", "1"]

    pad = lesson.view("DigitPad")
    pad.element.locator(".amaas-paper").focus()
    before = len(lesson.cells)
    pad.changes(lambda: press(page, "c"))
    assert pad.says() == "Nothing drawn yet."
    # None of these keys reached the notebook, where arrows move on and others cut cells.
    press(page, "Down Up Space Space Delete")
    assert len(lesson.cells) == before
    now = page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex")
    assert now in (active, lesson.at("pad"), lesson.at("read"))
    press(page, "Tab")
    assert pad.control("Clear").evaluate("button => button === document.activeElement")


def test_a_drawing_from_python_lifts_the_pen(lesson):
    pad = lesson.view("DigitPad")
    pad.element.locator(".amaas-paper").focus()
    pad.changes(lambda: press(lesson.page, "Space Down*3"))
    lesson.run_cell("emptied")
    lesson.page.wait_for_timeout(300)
    pad.element.locator(".amaas-paper").focus()
    press(lesson.page, "Down*3")
    assert pad.says() == "Nothing drawn yet."
    pad.changes(lambda: press(lesson.page, "Space Down*3 Space"))
    assert lesson.run_cell("read").split()[1] == "1"


def test_what_python_draws_appears_on_the_paper(lesson):
    pad = lesson.view("DigitPad")
    pad.changes(lambda: press_clear_and_draw(lesson, pad))
    assert ANSWER.fullmatch(pad.says()).group(1) == "7"
    assert 0.03 < ink_on(pad) < 0.2


def test_a_tap_leaves_a_dot(lesson):
    pad = lesson.view("DigitPad")
    pad.changes(pad.control("Clear").click)
    assert ink_on(pad) == 0
    pad.changes(pad.element.locator(".amaas-paper").click)
    assert 0.001 < ink_on(pad) < 0.01


def ink_on(pad):
    """The share of the paper that is black."""
    return pad.element.locator(".amaas-paper").evaluate(INK)


def press_clear_and_draw(lesson, pad):
    pad.control("Clear").click()
    state = lesson.cells[lesson.at("read")]["source"]
    lesson.write("read", f"pad.draw({SEVEN})")
    lesson.run_cell("read")
    lesson.write("read", state)


def test_a_server_that_is_gone_is_said_on_the_pad(lesson):
    pad = lesson.view("DigitPad", 1)
    pad.changes(lambda: pad.draw(circle()))
    assert "no service answers there" in pad.says()
    assert bars(pad) == []
    lesson.theme("dark")
    lesson.view("DigitPad", 1).picture("gone")


def test_fast_scribbling_ends_with_the_whole_drawing_answered(lesson):
    pad = lesson.view("DigitPad")
    pad.changes(pad.control("Clear").click)
    lines = [[(0.2 + 0.03 * i, 0.2), (0.3 + 0.03 * i, 0.8)] for i in range(15)]
    pad.changes(lambda: pad.draw(*lines))
    assert lesson.run_cell("read").split()[1] == "15"
