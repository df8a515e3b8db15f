"""Lesson 04 in a real browser: run to its end, a run watched and stopped, exercises answered."""

from __future__ import annotations

import re

import pytest

LESSON = "04_first_network"

ENDLESS = """
stopped = ak.training.fit(
    net, split, rule, epochs=100_000, seed=7, callbacks=[monitor], progress=False
)
print("stopped:", stopped.stopped, stopped.epochs)
"""

ONE_PAIR_ONCE = """
def confusion(truth, predicted, classes):
    counts = np.zeros((classes, classes), dtype=int)
    counts[truth, predicted] += 1
    return counts
"""

ALL_PAIRS = ONE_PAIR_ONCE.replace(
    "counts[truth, predicted] += 1", "np.add.at(counts, (truth, predicted), 1)"
)


@pytest.fixture
def lesson(open_lesson):
    return open_lesson(LESSON)


@pytest.fixture
def endless(lesson):
    """A run that would take hours, under way and watched."""
    lesson.write("early", ENDLESS.strip())
    lesson.run_cell("early", wait=False)
    monitor = lesson.view("TrainingMonitor")
    says = monitor.element.locator(".amaas-says").element_handle()
    lesson.page.wait_for_function("says => /^Epoch [0-9]+[.]/.test(says.textContent)", arg=says)
    yield monitor
    if not lesson.has_ended("early"):
        lesson.interrupt()
        lesson.wait_for_the_end("early")


def test_the_lesson_runs_to_its_end(lesson):
    code = [cell for cell in lesson.cells if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code if "".join(cell["source"]).strip())
    assert lesson.view("TrainingMonitor").says().startswith("Stopped early after ")
    for theme in ("light", "dark"):
        lesson.theme(theme)
        lesson.view("TrainingMonitor").picture("monitor")
        for cell in ("exercise-faults-statement", "exercise-split-statement", "progress"):
            lesson.show(cell)
            lesson.page.wait_for_timeout(500)
            lesson.picture(cell)
    lesson.theme("light")


def test_stop_by_mouse_ends_the_run_while_its_cell_runs(lesson, endless):
    endless.picture("running")
    endless.control("Stop").click()
    lesson.wait_for_the_end("early")
    (epochs,) = re.match(r"Stopped by you after (\d+) epochs", endless.says()).groups()
    assert lesson.last_line("early") == f"stopped: by callback {epochs}"
    endless.picture("stopped")


def test_stop_by_keyboard_ends_it_too(lesson, endless):
    endless.control("Stop").focus()
    lesson.page.keyboard.press("Space")
    lesson.wait_for_the_end("early")
    assert endless.says().startswith("Stopped by you after ")
    assert lesson.last_line("early").startswith("stopped: by callback")


def test_the_monitor_paints_itself_at_once(lesson):
    assert lesson.first_paint("TrainingMonitor") < 5
    assert lesson.view("TrainingMonitor").says().startswith("No training yet.")


def test_a_mistake_is_named_and_the_right_answer_counted(lesson):
    lesson.write("exercise-confusion-answer", ONE_PAIR_ONCE.strip())
    lesson.run_cell("exercise-confusion-answer")
    said = lesson.run_cell("exercise-confusion-check")
    assert "a pair that comes twice adds 1 only" in said
    lesson.show("exercise-confusion-check")
    lesson.picture("mistake")
    lesson.write("exercise-confusion-answer", ALL_PAIRS.strip())
    lesson.run_cell("exercise-confusion-answer")
    assert lesson.run_cell("exercise-confusion-check").startswith("Correct.")
    assert "1 of 5 exercises solved" in lesson.run_cell("progress")


def test_the_program_with_eight_faults_is_led_to_its_first(lesson):
    source = "".join(lesson.cells[lesson.at("exercise-faults-answer")]["source"])
    begun = "\n".join(line for line in source.splitlines() if "assert ____" not in line)
    lesson.write("exercise-faults-answer", begun)
    lesson.run_cell("exercise-faults-answer")
    said = lesson.run_cell("exercise-faults-check")
    assert "has no attribute 'random_normal'" in said
    assert "A call of TensorFlow 1 that no longer exists." in said
    lesson.show("exercise-faults-check")
    lesson.picture("first-fault")
