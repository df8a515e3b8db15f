"""The stored notebooks are whole runs, and running them again compares something.

nbval passes a notebook whose outputs were stripped, because it finds nothing to compare. These
guards fail where that could happen.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parent.parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))

LARGEST_BYTES = 1_500_000

IGNORES_OUTPUT = ("nbval-ignore-output", "nbval_ignore_output")
SKIPS = ("nbval-skip", "nbval_skip")
NOT_COMPARED = re.compile(r"^<Figure |^<[\w.]+ at 0x|^[A-Z]\w+\(.*\bchildren=|^\w*Widget\(")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:h[o]me|r[o]ot|w[o]rk|U[s]ers|t[m]p|private)/\w")


def faults(notebook: Any) -> list[str]:
    """What keeps a stored notebook from being a whole run that can be compared."""
    cells = [
        (number, cell)
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    found = [f"cell {number} {fault}" for number, cell in cells for fault in cell_faults(cell)]
    counts = [cell.execution_count for _, cell in cells if cell.execution_count is not None]
    if counts != list(range(1, len(counts) + 1)):
        found.append("the cells were not run once each, from top to bottom, in a fresh kernel")
    if "widgets" in notebook.metadata:
        found.append("widget state is stored")
    if sum(marked(cell, IGNORES_OUTPUT) for _, cell in cells) > 1:
        found.append("the output of more than one cell is ignored")
    if not any(compares(cell) for _, cell in cells):
        found.append("no output is compared")
    return found


def cell_faults(cell: Any) -> list[str]:
    found = []
    if cell.execution_count is None:
        found.append("was never run")
    if prints(cell.source) and not cell.outputs and not marked(cell, IGNORES_OUTPUT):
        found.append("prints, and no output is stored")
    if marked(cell, SKIPS):
        found.append("is skipped")
    for output in cell.outputs:
        if output.get("name") == "stderr":
            found.append("stores stderr")
        if output.output_type == "error" and not marked(cell, ("raises-exception",)):
            found.append("stores an error")
        if MACHINE_PATH.search(text_of(output)):
            found.append("stores a path of the machine that it ran on")
    return found


def marked(cell: Any, names: tuple[str, ...]) -> bool:
    """Whether a cell has a tag, or the comment of the same meaning."""
    tags = cell.metadata.get("tags", [])
    return any(name in tags or f"# {name.upper()}" in cell.source for name in names)


def prints(source: str) -> bool:
    """Whether a cell calls `print` itself, outside the functions that it defines."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return False
    statements: list[ast.AST] = list(tree.body)
    while statements:
        node = statements.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.If | ast.Try):
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            return True
        statements += ast.iter_child_nodes(node)
    return False


def compares(cell: Any) -> bool:
    """Whether nbval has something to compare after running a cell."""
    if marked(cell, IGNORES_OUTPUT) or marked(cell, SKIPS):
        return False
    texts = [text_of(output).strip() for output in cell.outputs]
    return any(text and not NOT_COMPARED.match(text) for text in texts)


def text_of(output: Any) -> str:
    if output.output_type == "stream":
        return str(output.text)
    if output.output_type == "error":
        return "\n".join([output.ename, output.evalue, *output.traceback])
    return str(output.data.get("text/plain", ""))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_a_whole_run_that_can_be_compared(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    nbformat.validate(notebook)
    assert faults(notebook) == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert lesson.stat().st_size <= LARGEST_BYTES


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_cell_of_a_lesson_has_its_own_name(lesson):
    names = [cell["id"] for cell in json.loads(lesson.read_bytes())["cells"]]
    assert len(set(names)) == len(names)


def test_there_are_lessons():
    assert LESSONS


def printing(**changes: Any) -> Any:
    """A cell that was run well, with changes."""
    output = new_output("stream", name="stdout", text="3\n")
    facts = {"source": "print(1 + 2)", "execution_count": 1, "outputs": [output]}
    return new_code_cell(**{**facts, **changes})


def drawing() -> Any:
    figure = new_output("display_data", {"text/plain": "<Figure size 700x400 with 1 Axes>"})
    return new_code_cell("plt.show()", execution_count=1, outputs=[figure])


def test_a_good_notebook_has_no_faults():
    second = printing(source="1 + 2", execution_count=2)
    assert faults(new_notebook(cells=[new_markdown_cell("# Title"), printing(), second])) == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ([printing(execution_count=None)], "was never run"),
        ([printing(outputs=[])], "prints, and no output is stored"),
        ([printing(source="for i in x:\n    print(i)", outputs=[])], "prints, and no output"),
        ([printing(outputs=[new_output("stream", name="stderr", text="W\n")])], "stores stderr"),
        ([printing(outputs=[new_output("error", ename="E", evalue="e")])], "stores an error"),
        ([printing(metadata={"tags": ["nbval-skip"]})], "is skipped"),
        ([printing(source="# NBVAL_SKIP\nprint(3)")], "is skipped"),
        ([printing(execution_count=7)], "from top to bottom"),
        ([printing(), printing()], "from top to bottom"),
        ([drawing()], "no output is compared"),
        ([new_code_cell("x = 1", execution_count=1)], "no output is compared"),
        ([printing(metadata={"tags": ["nbval-ignore-output"]})], "no output is compared"),
        (
            [
                printing(metadata={"tags": ["nbval-ignore-output"]}, execution_count=i)
                for i in (1, 2)
            ],
            "more than one cell is ignored",
        ),
        (
            [printing(outputs=[new_output("stream", text="wrote /" + "home/ada/model.npz\n")])],
            "a path of the machine",
        ),
    ],
)
def test_a_bad_notebook_is_found_out(cells, fault):
    assert any(fault in found for found in faults(new_notebook(cells=cells)))


def test_stored_widget_state_is_found_out():
    notebook = new_notebook(cells=[printing()], metadata={"widgets": {}})
    assert faults(notebook) == ["widget state is stored"]


@pytest.mark.parametrize("source", ["def f():\n    print(1)", "x = 1", "if rare:\n    print(1)"])
def test_a_cell_that_need_not_print_is_let_be(source):
    assert not prints(source)
