"""A lesson with exercises has the course's form: what a learner finds in one is in all of them."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from amaas_kit.exercises.course import LESSONS as TITLES
from amaas_kit.exercises.course import exercises_of

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = ROOT / "notebooks"
LESSONS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if path.stem[3:] in TITLES]

OPENING = ("**What you'll do.**", "**What you'll learn**", "**What you'll need.**", "About ")
CLOSING = ("Recap", "What goes wrong in practice", "Further reading")
VIEW = re.compile(r"\bviews\.([A-Z]\w*)\(")


def faults(notebook: Any, exercises: list[Any]) -> list[str]:
    """What a lesson lacks of the form of the course."""
    cells = list(notebook.cells)
    code = [cell.source.strip() for cell in cells if cell.cell_type == "code"]
    prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
    found = [f"the opening lacks {part!r}" for part in OPENING if part not in prose[0]]
    if "](glossary.md)" not in "".join(prose[:2]):
        found.append("the opening does not link the glossary")
    headings = re.findall(r"^#+ (.+)$", "\n".join(prose), re.MULTILINE)
    found += [f"no section {name!r}" for name in CLOSING if name not in headings]
    if not code[-1].startswith("show_progress("):
        found.append("the last code cell does not show the progress")
    found += [fault for one in exercises for fault in exercise_faults(one, code)]
    shown = [match[1] for source in code for match in re.finditer(r"\bex\.(\w+)\.check\(", source)]
    if sorted(shown) != sorted(one.name for one in exercises):
        found.append(f"checks {shown}, and the module has other exercises")
    return found + figure_faults(cells)


def exercise_faults(exercise: Any, code: list[str]) -> list[str]:
    """What is wrong with the three cells of an exercise, and with what stands before its check."""
    name = exercise.name
    if f"ex.{name}" not in code:
        return [f"{name}: no cell shows the statement"]
    statement = code.index(f"ex.{name}")
    answer, check = code[statement + 1 : statement + 3]
    called = re.fullmatch(rf"ex\.{name}\.check\((\w+)\)", check)
    if "____" not in answer or not called:
        return [f"{name}: after the statement come not the answer cell and the check"]
    found = []
    [given] = [
        node
        for node in ast.walk(ast.parse(answer))
        if isinstance(node, ast.FunctionDef) and node.name == called[1]
    ] or [None]
    if given is None:
        found.append(f"{name}: the answer cell does not define {called[1]}")
    elif [one.arg for one in given.args.args] != list(parameters(exercise.answer)):
        found.append(f"{name}: the answer cell has other parameters than the solution")
    told = [cell for cell in code[: statement + 2] if tells(cell, exercise.answer)]
    found += [f"{name}: told before its check, in {cell[:60]!r}" for cell in told]
    return found


def parameters(function: Any) -> dict[str, Any]:
    return dict(inspect.signature(function).parameters)


def tells(cell: str, solution: Any) -> bool:
    """Whether a cell holds the body of a solution, whatever its names are."""
    [wanted] = ast.parse(textwrap.dedent(inspect.getsource(solution))).body
    body = nameless(wanted)
    tree = ast.parse("\n".join(line for line in cell.splitlines() if line[:1] not in "%!"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return body in [nameless(function) for function in functions]


def nameless(function: Any) -> str:
    """The body of a function, with its own names numbered in the order in which they come."""
    numbers: dict[str, int] = {}
    own = {argument.arg for argument in function.args.args}
    own |= {node.id for node in ast.walk(function) if is_stored(node)}
    body = [node for node in function.body if not is_docstring(node)]
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Name) and node.id in own:
            node.id = f"name {numbers.setdefault(node.id, len(numbers))}"
    return "\n".join(ast.dump(node) for node in body)


def is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def figure_faults(cells: list[Any]) -> list[str]:
    """What is wrong with figures and views: each needs words, each view a figure beside it."""
    found = []
    for at, cell in enumerate(cells):
        if cell.cell_type == "code" and is_figure(cell) and not is_described(cells[at + 1 :]):
            found.append(f"cell {at}: no 'In the figure' below the figure")
    views = [
        at for at, cell in enumerate(cells) if cell.cell_type == "code" and VIEW.search(cell.source)
    ]
    if not views:
        found.append("no view to move")
    for at in views:
        near = cells[max(0, at - 6) : at + 7]
        if not any(one.cell_type == "code" and is_figure(one) for one in near):
            found.append(f"cell {at}: no plain figure beside the view")
    return found


def is_figure(cell: Any) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def is_described(following: list[Any]) -> bool:
    """Whether the prose right below a figure says what is in it."""
    return (
        bool(following)
        and following[0].cell_type == "markdown"
        and (following[0].source.startswith("*In the figure"))
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_the_form_of_the_course(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    assert faults(notebook, exercises_of(lesson.stem[3:])) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_tells_no_solution_in_a_stored_output(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    stored = "\n".join(
        str(output.get("text", "")) + str(output.get("data", {}))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    for exercise in exercises_of(lesson.stem[3:]):
        body = inspect.getsource(exercise.answer).partition("\n")[2].strip()
        assert body not in stored


def test_every_lesson_with_exercises_is_looked_at():
    assert [path.stem[3:] for path in LESSONS] == list(TITLES)


def double(x):
    doubled = x * 2
    return {"doubled": doubled}


class Doubling:
    name = "doubling"
    answer = staticmethod(double)


STATEMENT = new_code_cell("ex.doubling")
ANSWER = new_code_cell("def double(x):\n    return ____")
CHECK = new_code_cell("ex.doubling.check(double)")
FIGURE = new_code_cell(
    "plt.show()", outputs=[new_output("display_data", {"image/png": "", "text/plain": ""})]
)
WORDS = new_markdown_cell("*In the figure: a line.*")


def lesson_of(*middle: Any, opening: str = "") -> Any:
    """A small lesson of the right form, with these cells in its middle."""
    first = " ".join(OPENING) + "[glossary](glossary.md)"
    return new_notebook(
        cells=[
            new_markdown_cell(opening or first),
            *middle,
            *[new_markdown_cell(f"## {name}") for name in CLOSING],
            new_code_cell('show_progress("x")'),
        ]
    )


VIEWED = (FIGURE, WORDS, new_code_cell("views.Explorer()"))


def test_a_lesson_of_the_right_form_has_no_faults():
    assert faults(lesson_of(STATEMENT, ANSWER, CHECK, *VIEWED), [Doubling]) == []


@pytest.mark.parametrize(
    ("middle", "fault"),
    [
        ((ANSWER, CHECK), "no cell shows the statement"),
        ((STATEMENT, CHECK, ANSWER), "come not the answer cell and the check"),
        (
            (STATEMENT, new_code_cell("def double(y):\n    return ____"), CHECK),
            "other parameters",
        ),
        ((STATEMENT, new_code_cell("x = ____"), CHECK), "does not define double"),
        (
            (
                new_code_cell("def f(n):\n    m = n * 2\n    return {'doubled': m}"),
                STATEMENT,
                ANSWER,
                CHECK,
            ),
            "told before its check",
        ),
        ((STATEMENT, ANSWER, CHECK, FIGURE), "no 'In the figure'"),
        ((STATEMENT, ANSWER, CHECK), "no view"),
        ((STATEMENT, ANSWER, CHECK, new_code_cell("views.Explorer()")), "no plain figure"),
    ],
)
def test_a_lesson_of_another_form_is_found_out(middle, fault):
    assert any(fault in found for found in faults(lesson_of(*middle), [Doubling]))


def test_a_lesson_without_glossary_or_progress_is_found_out():
    bare = lesson_of(*VIEWED, opening="# Title")
    bare.cells.append(new_code_cell("1 + 1"))
    found = faults(bare, [])
    assert any("glossary" in one for one in found)
    assert any("progress" in one for one in found)


def test_a_solution_under_other_names_is_known_again():
    assert tells(
        "def twice(value):\n    result = value * 2\n    return {'doubled': result}", double
    )
    assert not tells("def twice(value):\n    return value + value", double)
