"""Exercises without a notebook, without IPython and without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_check_in_a_script():
    said = run(
        """
        from amaas_kit.exercises import ____, show_progress
        from amaas_kit.exercises import forward_pass as ex

        print(ex.dense_layer)
        ex.dense_layer.check(lambda x, w, b: ____)
        verdict = ex.dense_layer.check(lambda x, w, b: x @ w)
        print(verdict, verdict.mistake, sep="|", end="|\\n")
        ex.dense_layer.hint()
        ex.dense_layer.check(lambda x, w, b: x @ w + b)
        show_progress("forward_pass")
        """
    )
    assert said.startswith("A dense layer (core)\n\n")
    places = [
        said.index(part)
        for part in (
            "Not attempted.",
            "Not yet.",
            "|bias_missing|",
            "Hint 1 of 3",
            "Correct.",
            "1 of 6 exercises solved",
            "solved, 2 attempts, 1 hint",
        )
    ]
    assert places == sorted(places)


def test_nothing_heavy_is_loaded_with_the_exercises():
    said = run(
        """
        import sys
        from amaas_kit.exercises import all_exercises
        assert len(all_exercises()) == 7
        print(*{"tensorflow", "keras", "matplotlib", "IPython", "pyspark"} & set(sys.modules))
        """
    )
    assert said.strip() == ""


def test_exercises_without_tables_load_no_polars():
    said = run(
        """
        import sys
        from amaas_kit.exercises import (
            backpropagation, first_network, forward_pass, gradient_descent, start_here
        )
        print(*{"polars", "pyspark"} & set(sys.modules))
        """
    )
    assert said.strip() == ""


def test_checks_of_the_first_lessons_load_no_tensorflow():
    said = run(
        """
        import sys
        from amaas_kit.exercises import all_exercises
        for lesson in ("start_here", "forward_pass", "backpropagation", "gradient_descent"):
            for exercise in all_exercises()[lesson]:
                assert exercise.examine(exercise.answer, seed=1).outcome == "correct"
                assert exercise.examine(exercise.mistakes[0].answer, seed=1).mistake
        print("tensorflow" in sys.modules)
        """
    )
    assert said.strip() == "False"
