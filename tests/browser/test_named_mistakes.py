"""Each named mistake of the course, checked in JupyterLab and read there as it was written."""

from __future__ import annotations

import nbformat

from amaas_kit.exercises import all_exercises

COURSE = {one.key: one for exercises in all_exercises().values() for one in exercises}

OPENING = """
from amaas_kit.exercises import all_exercises

COURSE = {one.key: one for exercises in all_exercises().values() for one in exercises}
"""

CHECKS = """
for mistake in COURSE[{key!r}].mistakes:
    COURSE[{key!r}].check(mistake.answer)
"""


def test_each_named_mistake_is_read_as_it_was_written(open_lesson):
    made = nbformat.v4.new_notebook()
    sources = [OPENING, *[CHECKS.format(key=key) for key in COURSE]]
    made.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = open_lesson(made, run=False)
    notebook.run_cell(0)
    for at, exercise in enumerate(COURSE.values(), 1):
        notebook.run_cell(at)
        notebook.show(at)
        cell = notebook.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").nth(at)
        verdicts = cell.locator(".amaas-verdict")
        verdicts.last.wait_for()
        assert verdicts.count() == len(exercise.mistakes)
        for mistake, said in zip(exercise.mistakes, verdicts.all_inner_texts(), strict=True):
            assert in_plain_letters(mistake.sentence) in in_plain_letters(said), mistake.name


def in_plain_letters(text: str) -> str:
    """A text without its marks for code, and with one space wherever there are some."""
    return " ".join(text.replace("`", "").split())
