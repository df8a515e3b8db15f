"""Checks in JupyterLab, as a learner meets them: what they show, and what they do not hold up."""

from __future__ import annotations

import nbformat
import pytest

CELLS = {
    "opening": "from amaas_kit.exercises import ____, show_progress\n"
    "from amaas_kit.exercises import forward_pass as ex",
    "statement": "ex.dense_layer",
    "untouched": "def dense(x, w, b):\n    return ____\n\nex.dense_layer.check(dense)",
    "wrong": "def dense(x, w, b):\n    return x @ w.T + b\n\nex.dense_layer.check(dense)",
    "asks": "ex.dense_layer.check(lambda x, w, b: input('well?'))",
    "stubborn": "ex.dense_layer.seconds = 1\nstop = False\n\n"
    "def stubborn(x, w, b):\n    while not stop:\n        try:\n            print('flood')\n"
    "        except:\n            pass\n\nex.dense_layer.check(stubborn)",
    "after": "import time\ntime.sleep(0.5)\nprint('still well')",
    "right": "stop = True\nex.dense_layer.check(lambda x, w, b: x @ w + b)",
    "progress": "show_progress('forward_pass')",
    "endless": "1",
}

INTERRUPT = "() => window.jupyterapp.commands.execute('notebook:interrupt-kernel')"


@pytest.fixture(scope="module")
def made():
    notebook = nbformat.v4.new_notebook()
    for name, source in CELLS.items():
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=name))
    return notebook


_opened = []


@pytest.fixture
def notebook(open_lesson, made):
    if not _opened:
        _opened.append(open_lesson(made).path)
    return open_lesson(_opened[0])


def outputs(notebook, cell):
    return notebook.cells[notebook.at(cell)]["outputs"]


def test_each_check_shows_one_verdict(notebook):
    for cell, heading in {
        "untouched": "Not attempted.",
        "wrong": "Not yet.",
        "asks": "Not yet.",
        "stubborn": "Not yet.",
        "right": "Correct.",
    }.items():
        [shown] = outputs(notebook, cell)
        assert f"<strong>{heading}</strong>" in "".join(shown["data"]["text/html"])
        notebook.show(cell)
        page = notebook.page.locator(".jp-NotebookPanel:visible .amaas-verdict")
        assert page.get_by_text(heading, exact=True).first.is_visible()


def test_an_answer_that_cannot_be_ended_does_not_write_into_other_cells(notebook):
    [shown] = outputs(notebook, "after")
    assert "".join(shown["text"]) == "still well\n"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_verdict_can_be_read_in_both_themes(notebook, theme):
    notebook.theme(theme)
    notebook.show("wrong")
    verdict = notebook.page.locator(".jp-NotebookPanel:visible .amaas-verdict").nth(1)
    colours = verdict.evaluate(
        """element => {
          const text = getComputedStyle(element.querySelector('p')).color;
          const page = getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor;
          return [text, getComputedStyle(element).borderLeftColor, page];
        }"""
    )
    text, border, page = map(luminance, colours)
    assert contrast(text, page) >= 7
    assert contrast(border, page) >= 3
    code = verdict.locator("pre").first
    assert "mono" in code.evaluate("element => getComputedStyle(element).fontFamily").lower()
    notebook.picture("verdict")
    notebook.show("progress")
    notebook.picture("progress")


def luminance(colour: str) -> float:
    """Of `rgb(r, g, b)`, by WCAG 2.2."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: float, other: float) -> float:
    lighter, darker = max(one, other), min(one, other)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_stop_button_ends_a_check(notebook):
    notebook.write(
        "endless",
        "ex.dense_layer.seconds = 60\n\ndef endless(x, w, b):\n    while True:\n        pass\n\n"
        "ex.dense_layer.check(endless)",
    )
    notebook.run_cell("endless", wait=False)
    notebook.page.wait_for_timeout(1500)
    notebook.page.evaluate(INTERRUPT)
    notebook.wait_until_idle(20)
    [shown] = outputs(notebook, "endless")
    assert shown["ename"] == "KeyboardInterrupt"
    assert notebook.run_cell("right").count("Correct.") == 1
