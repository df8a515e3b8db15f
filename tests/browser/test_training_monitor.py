"""The training monitor in a real browser: it follows `fit`, and its button stops it."""

from __future__ import annotations

import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from playwright import sync_api as playwright

CELLS = {
    "start": """
import amaas_kit as ak
from amaas_kit.views.training_monitor import TrainingMonitor

rng = ak.setup(seed=7)
split = ak.data.load_digits()
net = ak.network.Network([64, 128, 64, 10], seed=7)
""",
    "monitor": """
monitor = TrainingMonitor()
monitor
""",
    "fit": """
history = ak.training.fit(net, split, epochs=3, seed=7, callbacks=[monitor], progress=False)
print(history.epochs, history.stopped)
""",
}

ENDLESS = """
history = ak.training.fit(net, split, epochs=100_000, seed=7, callbacks=[monitor], progress=False)
print(history.epochs, history.stopped)
"""


@pytest.fixture(scope="module")
def opened():
    return []


@pytest.fixture
def lesson(open_lesson, opened):
    if not opened:
        cells = [new_code_cell(source.strip(), id=name) for name, source in CELLS.items()]
        opened.append(open_lesson(new_notebook(cells=cells)))
    return opened[0]


@pytest.fixture
def endless(lesson):
    """A run that would take hours, under way."""
    lesson.write("fit", ENDLESS.strip())
    lesson.run_cell("fit", wait=False)
    monitor = lesson.view("TrainingMonitor")
    playwright.expect(monitor.element.locator(".amaas-says")).to_contain_text(
        re.compile(r"^Epoch \d+\."), timeout=60_000
    )
    yield monitor
    if not lesson.has_ended("fit"):
        lesson.interrupt()
        lesson.wait_for_the_end("fit")


def test_a_run_to_its_end_is_followed(lesson):
    monitor = lesson.view("TrainingMonitor")
    assert monitor.says().startswith("Finished after 3 epochs. Training: loss ")
    assert monitor.alt() == monitor.says()
    assert monitor.control("Stop").is_disabled()
    assert lesson.first_paint("TrainingMonitor") < 5
    lesson.run_cell("fit")
    for theme in ("light", "dark"):
        lesson.theme(theme)
        lesson.view("TrainingMonitor").picture("finished")


def test_the_curves_grow_while_the_cell_runs(lesson, endless):
    first, picture = epochs(endless), endless.element.locator("img.amaas-picture")
    before = picture.get_attribute("src")
    playwright.expect(picture).not_to_have_attribute("src", before, timeout=30_000)
    assert epochs(endless) > first
    endless.picture("running")


def test_stop_ends_the_run_while_its_cell_runs(lesson, endless):
    """Pressed by mouse; the click must reach a kernel that is busy."""
    endless.control("Stop").click()
    lesson.wait_for_the_end("fit")
    assert re.match(r"Stopped by you after \d+ epochs\. ", endless.says())
    assert lesson.last_line("fit") == f"{epochs(endless)} by callback"
    endless.picture("stopped")


def test_stop_works_by_keyboard(lesson, endless):
    endless.control("Stop").focus()
    lesson.page.keyboard.press("Space")
    lesson.wait_for_the_end("fit")
    assert endless.says().startswith("Stopped by you after ")
    assert lesson.last_line("fit").endswith("by callback")


def test_interrupting_the_kernel_stops_it_too(lesson, endless):
    lesson.interrupt()
    lesson.wait_for_the_end("fit")
    assert endless.says().startswith("Interrupted after ")
    assert lesson.last_line("fit").endswith("interrupted")


def epochs(monitor):
    """The number of epochs that the sentence speaks of."""
    return int(re.search(r"(?:Epoch|after) (\d+)", monitor.says()).group(1))
