"""Exercises in a real kernel, as a notebook shows them."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

OPENING = """
from amaas_kit.exercises import ____, show_progress
from amaas_kit.exercises import forward_pass as ex
ex.dense_layer.seconds = 0.5
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a cell in a kernel and return its outputs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAAS_HOME", str(tmp_path_factory.mktemp("home")))
        notebook = nbformat.v4.new_notebook()
        client = NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True)
        with client.setup_kernel():

            def execute(source: str, store_history: bool = True) -> list:
                cell = nbformat.v4.new_code_cell(source)
                notebook.cells.append(cell)
                index = len(notebook.cells) - 1
                client.execute_cell(cell, index, store_history=store_history)
                return cell.outputs

            assert execute(OPENING) == []
            yield execute


def texts(outputs) -> list[str]:
    return [output.data["text/plain"] for output in outputs]


def test_the_statement_is_markdown(run):
    [shown] = run("ex.dense_layer")
    assert shown.output_type == "execute_result"
    assert shown.data["text/markdown"].startswith("**A dense layer (core)**")


def test_an_untouched_answer_is_shown_once_as_a_page(run):
    [shown] = run("def dense(x, w, b):\n    return ____\n\nex.dense_layer.check(dense)")
    assert set(shown.data) == {"text/plain", "text/html"}
    assert shown.data["text/plain"].startswith("Not attempted. There is still a `____`")
    assert "<strong>Not attempted.</strong>" in shown.data["text/html"]


@pytest.mark.parametrize("history", [True, False])
def test_a_verdict_is_shown_once_in_its_cell_and_again_in_a_later_one(run, history):
    [shown] = run("v = ex.dense_layer.check(lambda x, w, b: x @ w)\nv", history)
    [again] = run("v", history)
    assert again.data["text/plain"] == shown.data["text/plain"]
    assert texts(run("v.outcome, v.mistake", history)) == ["('not yet', 'bias_missing')"]


def test_a_check_in_the_middle_of_a_cell_is_shown(run):
    outputs = run("ex.dense_layer.check(____)\nex.relu_activation.check(____)\n1 + 1")
    assert [text.split(".")[0] for text in texts(outputs)] == ["Not attempted"] * 2 + ["2"]


def test_a_displayed_example_of_an_endless_answer(run):
    [shown] = run(
        "def endless(x, w, b):\n    while True:\n        print('flood')\n\n"
        "ex.dense_layer.check(endless)"
    )
    assert "there was no result after 0.5 s" in shown.data["text/plain"]
    assert "still runs" not in shown.data["text/plain"]
    [output] = run("print('still well')")
    assert (output.name, output.text) == ("stdout", "still well\n")


def test_an_answer_that_cannot_be_ended_does_not_flood_the_notebook(run):
    [shown] = run(
        "stop = False\n"
        "def stubborn(x, w, b):\n"
        "    try:\n"
        "        while not stop:\n"
        "            print('flood')\n"
        "    except:\n"
        "        stubborn(x, w, b)\n\n"
        "ex.dense_layer.check(stubborn)"
    )
    assert "Restart the kernel" in shown.data["text/plain"]
    outputs = run("import time; time.sleep(0.3); print('still well')")
    assert "".join(output.text for output in outputs) == "still well\n"
    [shown] = run("stop = True\nex.dense_layer.check(ex.dense_layer.answer)")
    assert shown.data["text/plain"].startswith("Correct.")


def test_an_error_shows_the_line_of_the_cell(run):
    [shown] = run(
        "def dense(x, w, b):\n    z = x @ w\n    return z + c\n\nex.dense_layer.check(dense)"
    )
    assert "It raised NameError: name 'c' is not defined" in shown.data["text/plain"]
    assert "    line 3: return z + c" in shown.data["text/plain"]


def test_nobody_is_asked_for_input(run):
    [shown] = run("ex.dense_layer.check(lambda x, w, b: input('well?'))")
    assert "It asked for input()" in shown.data["text/plain"]


def test_the_placeholder_in_a_cell(run):
    [shown] = run("____")
    assert shown.data == {"text/plain": "____"}
    [error] = run("if ____ > 1:\n    pass")
    assert error.ename == "NotAttempted"
    assert "write your own code in place of every ____" in error.evalue


def test_hints_solution_and_progress(run):
    run("ex.dense_layer.reset()")
    [hint] = run("ex.dense_layer.hint()")
    assert hint.data["text/markdown"].startswith("**Hint 1 of ")
    [solution] = run("ex.dense_layer.solution()")
    assert "```python\ndef dense(" in solution.data["text/markdown"]
    [board] = run("show_progress('forward_pass')")
    assert "A dense layer" in board.data["text/html"]
    assert "not tried, 1 hint, solution seen" in board.data["text/plain"]
