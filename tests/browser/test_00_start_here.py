"""Lesson 00 as a learner meets it: run, drawn on, its exercises tried, its server ended."""

from __future__ import annotations

import re
import time

import pytest

ANSWER = re.compile(r"The model says (\d), with probability \d\.\d\d\.")
"""What the pad says; the digits before it are what the tests read."""

PLACES = ("title", "arc", "pad", "exercise-reply", "doctor", "course", "progress")
"""Cells whose surroundings are kept as pictures, for a person to look at."""

BASELINE = """def baseline(labels):
    return 1 / len(set(labels))"""

REPLY = """def labels_in_reply(shape):
    return shape[0]"""

REPLY_SOLVED = """def labels_in_reply(shape):
    if len(shape) == 2 and shape[1] == 64 and 1 <= shape[0] <= 1024:
        return shape[0]
    return "refused\""""

REPORT = """def to_mend(findings):
    for finding in findings:
        if finding.status == "problem":
            return finding.fix"""


@pytest.fixture
def lesson(open_lesson):
    return open_lesson("00_start_here")


def test_the_whole_lesson_runs_and_looks_as_it_should(lesson):
    assert all(cell["execution_count"] for cell in lesson.cells if cell["cell_type"] == "code")
    lesson.pictures(*PLACES)


def test_after_run_all_the_server_still_answers_what_the_mouse_draws(lesson):
    pad = lesson.view("DigitPad")
    assert pad.says() == "Nothing drawn yet."
    pad.changes(lambda: pad.draw([(0.2, 0.2), (0.8, 0.2), (0.45, 0.9)]))
    assert ANSWER.fullmatch(pad.says()).group(1) == "7"
    for theme in ("light", "dark"):
        lesson.theme(theme)
        lesson.view("DigitPad").picture("seven")
    pad.changes(pad.control("Clear").click)
    assert pad.says() == "Nothing drawn yet."


def test_the_server_answers_what_the_keyboard_draws(lesson):
    pad = lesson.view("DigitPad")
    pad.element.locator(".amaas-paper").focus()
    keyboard = lesson.page.keyboard

    def stroke_down():
        keyboard.press("Space")
        for _ in range(15):
            keyboard.press("ArrowDown")
        keyboard.press("Space")

    pad.changes(stroke_down)
    assert ANSWER.fullmatch(pad.says()).group(1) == "1"
    pad.changes(lambda: keyboard.press("Delete"))
    assert pad.says() == "Nothing drawn yet."


def test_a_new_pad_stands_within_a_second(lesson):
    lesson.view("DigitPad").element.evaluate("pad => pad.classList.add('old')")
    start = time.perf_counter()
    lesson.run_cell("pad", wait=False)
    lesson.page.locator(".amaas-DigitPad:not(.old) .amaas-paper").wait_for()
    lesson.record("view first paint", "DigitPad", time.perf_counter() - start)
    lesson.wait_until_idle()
    assert lesson.view("DigitPad").says() == "Nothing drawn yet."


def tried(lesson, exercise, answer):
    """Write an answer, run it and its check; what the check shows."""
    lesson.write(f"exercise-{exercise}-answer", answer)
    lesson.run_cell(f"exercise-{exercise}-answer")
    at = lesson.at(f"exercise-{exercise}-check")
    lesson.run_cell(at)
    lesson.show(at)
    shown = lesson.page.locator(".jp-NotebookPanel:visible .jp-Notebook-cell").nth(at)
    return shown.locator(".amaas-verdict").inner_text()


def test_exercises_name_the_mistake_and_mark_what_is_solved(lesson):
    assert "what guessing at random reaches" in tried(lesson, "baseline", BASELINE)
    assert "the first entry of the shape only" in tried(lesson, "reply", REPLY)
    lesson.picture("mistake")
    lesson.theme("dark")
    lesson.picture("mistake")
    assert "You returned the first fix alone" in tried(lesson, "report", REPORT)
    assert tried(lesson, "reply", REPLY_SOLVED).startswith("Correct")
    assert "1 of 3 exercises solved (1 of 1 in the core)" in lesson.run_cell("progress")
    lesson.show("progress")
    lesson.picture("progress")


def test_a_stopped_server_is_said_on_the_pad_and_can_be_started_again(lesson):
    stop = next(cell["source"] for cell in lesson.cells if cell["id"] == "stop")
    lesson.write("stop", "".join(stop).replace("finished = False", "finished = True"))
    assert lesson.run_cell("stop").strip() == "False"
    pad = lesson.view("DigitPad")
    pad.changes(lambda: pad.draw([(0.5, 0.2), (0.5, 0.9)]))
    assert "no service answers there" in pad.says()
    lesson.picture("stopped")

    for cell in ("serve", "ask", "pad"):
        lesson.run_cell(cell)
    assert lesson.errors() == []
    pad = lesson.view("DigitPad")
    pad.changes(lambda: pad.draw([(0.5, 0.2), (0.5, 0.9)]))
    assert ANSWER.fullmatch(pad.says()).group(1) == "1"
