"""Bentos carried to a fresh environment and an empty store answer as the models themselves do.

The environment holds the Bentos' own requirements and nothing else: not the kit, not TensorFlow of
this environment. It is made with uv, which shares downloaded packages between environments.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from amaas_kit.data import Dataset, load_digits
from amaas_kit.errors import RequestError
from amaas_kit.network import Network
from amaas_kit.serving import Client, package, store
from amaas_kit.training import evaluate, fit


@dataclass(frozen=True)
class Elsewhere:
    """Another place: an environment and a store that share nothing with this one."""

    python: Path
    store: Path

    def run(self, *arguments: str) -> str:
        """Call the other environment's Python; what it prints."""
        done = subprocess.run(
            [str(self.python), *arguments],
            env=self.environment,
            cwd=self.store,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
        path = f"{self.python.parent}{os.pathsep}{os.defpath}"
        own = {"PATH": path, "BENTOML_HOME": str(self.store), "BENTOML_DO_NOT_TRACK": "True"}
        return kept | own

    @contextmanager
    def served(self, tag: str) -> Iterator[Client]:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        address = ["--host", "127.0.0.1", "--port", str(port)]
        log = self.store / "log.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(self.python), "-m", "bentoml", "serve", tag, *address],
                env=self.environment,
                cwd=self.store,
                stdout=output,
                stderr=output,
            )
        try:
            client = Client(f"http://127.0.0.1:{port}", timeout=30)
            deadline = time.monotonic() + 120
            while not client.health():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield client
        finally:
            process.terminate()
            process.wait(30)


@dataclass(frozen=True)
class Made:
    """A trained network, its Bento, and rows that it never saw."""

    net: Network
    tag: str
    rows: np.ndarray


@pytest.fixture(scope="module")
def digits() -> Made:
    split = load_digits(seed=1)
    net = Network([64, 32, 10], seed=1)
    history = fit(net, split, epochs=5, seed=1)
    tag = package(net, "digits", history=history, evaluation=evaluate(net, split.test))
    return Made(net, tag, split.test.x[:50])


@pytest.fixture(scope="module")
def prices(tmp_path_factory) -> Made:
    """A regression from a CSV: a price from size and age."""
    rng = np.random.default_rng(5)
    size, age = rng.uniform(0, 2, 200), rng.uniform(0, 1, 200)
    table = tmp_path_factory.mktemp("own") / "houses.csv"
    lines = [f"{a:.4f},{b:.4f},{3 * a - b + 0.25:.4f}" for a, b in zip(size, age, strict=True)]
    table.write_text("\n".join(["size,age,price", *lines]))
    split = Dataset.from_csv(table, target="price").split(seed=1)
    net = Network([2, 8, 1], seed=1)
    history = fit(net, split, epochs=5, seed=1)
    return Made(net, package(net, "house-prices", history=history), split.test.x)


@pytest.fixture(scope="module")
def elsewhere(digits, prices, tmp_path_factory) -> Elsewhere:
    """Both Bentos exported, imported into an empty store, and their requirements installed."""
    place = tmp_path_factory.mktemp("elsewhere")
    here = subprocess.run
    python = place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    requirements = [
        store.find(made.tag)[1] / "env/python/requirements.txt" for made in (digits, prices)
    ]
    assert requirements[0].read_text() == requirements[1].read_text()
    uv = [sys.executable, "-m", "uv"]
    here([*uv, "venv", "-q", "--python", sys.executable, str(place / "venv")], check=True)
    here(
        [*uv, "pip", "install", "-q", "--python", str(python), "-r", str(requirements[0])],
        check=True,
    )
    other = Elsewhere(python, tmp_path_factory.mktemp("store"))
    for made in (digits, prices):
        file = place / f"{made.tag.replace(':', '-')}.bento"
        here([sys.executable, "-m", "bentoml", "export", made.tag, str(file)], check=True)
        other.run("-m", "bentoml", "import", str(file))
    return other


def test_the_environment_knows_nothing_of_the_kit(elsewhere):
    program = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    installed = set(elsewhere.run("-c", program).split())
    assert "bentoml" in installed
    assert not {"amaas-kit", "polars", "jupyterlab", "matplotlib", "ipywidgets"} & installed


def test_the_digits_answer_there_as_here(elsewhere, digits):
    z = digits.net.forward(digits.rows).astype(np.float64)
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    with elsewhere.served(digits.tag) as client:
        prediction = client.predict(digits.rows)
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-6)
        assert prediction.labels == digits.net.predict(digits.rows).tolist()
        assert (prediction.model, prediction.version) == ("digits", "1")
        assert client.card()["test"]["accuracy"] > 0.5
        with pytest.raises(RequestError, match="greatest value"):
            client.predict(digits.rows + 1)


def test_a_regression_from_a_table_answers_there_as_here(elsewhere, prices):
    with elsewhere.served(prices.tag) as client:
        prediction = client.predict(prices.rows)
        own = prices.net.forward(prices.rows)[:, 0]
        np.testing.assert_allclose(prediction.values, own, atol=1e-6)
        assert client.contract().columns == ("size", "age")
        with pytest.raises(RequestError, match='"age"'):
            client.predict([[1.0, float("nan")]])
