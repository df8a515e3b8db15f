"""A home of its own for each test, and small exercises to try answers on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from amaas_kit.exercises import Exercise, Mistake, spark_values


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty folder for progress."""
    folder = tmp_path / "home"
    monkeypatch.setenv("AMAAS_HOME", str(folder))
    return folder


def draw_layer(rng: np.random.Generator) -> dict[str, Any]:
    n, d, h = rng.integers(1, 4, size=3)
    return {"x": rng.normal(size=(n, d)), "w": rng.normal(size=(d, h)), "b": rng.normal(size=h)}


def dense(x, w, b):
    return x @ w + b


def dense_by_loops(x, w, b):
    rows, units = range(len(x)), range(w.shape[1])
    return np.array(
        [[b[j] + sum(x[i, k] * w[k, j] for k in range(len(w))) for j in units] for i in rows]
    )


def no_bias(x, w, b):
    return x @ w


def transposed_w(x, w, b):
    return x @ w.T + b


def squares_in_place(x, w, b):
    x **= 2
    return x @ w + b


@pytest.fixture
def layer() -> Exercise:
    """An exercise with arrays: a dense layer."""
    return Exercise(
        name="layer",
        lesson="forward_pass",
        title="A layer",
        statement="Write `dense(x, w, b)`.",
        draw=draw_layer,
        solution=dense,
        definition=dense_by_loops,
        demands="entry [i, j] is the sum over k of x[i, k] * w[k, j], plus b[j]",
        mistakes=(
            Mistake("no_bias", no_bias, "You left the bias out."),
            Mistake("transposed_w", transposed_w, "You turned w."),
            Mistake("squares", squares_in_place, "You squared x where it lies."),
        ),
        hints=("gentle", "firmer", "nearly all of it"),
        seconds=5,
    )


@pytest.fixture
def about() -> Callable[..., Exercise]:
    """Make an exercise about one function of two vectors."""

    def make(solution: Callable[..., Any], **changes: Any) -> Exercise:
        facts: dict[str, Any] = {
            "name": "task",
            "lesson": "forward_pass",
            "title": "A task",
            "statement": "Do it.",
            "draw": lambda rng: {"x": rng.normal(size=4), "y": rng.normal(size=4)},
            "solution": solution,
            "definition": solution,
            "demands": "what the definition says",
            "seconds": 5,
        }
        return Exercise(**(facts | changes))

    return make


@pytest.fixture(scope="module", autouse=True)
def _no_spark_is_left_running():
    """A kernel keeps the Spark that its checks ask; a worker of these tests has others to run."""
    yield
    spark_values.stop()
