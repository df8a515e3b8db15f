"""bentos/digits by hand, with BentoML's own commands, as its first page says."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from amaas_kit.errors import RequestError
from amaas_kit.network import Network
from amaas_kit.serving import Client, Contract, package, packaging, store

BENTOML = [sys.executable, "-m", "bentoml"]


@pytest.fixture(scope="module")
def digits() -> Network:
    """The newest of two digits models; an older one and another name lie beside it."""
    contract = Contract(64, "classification", minimum=0.0, maximum=1.0)
    package(Network([64, 10], seed=1), "digits", contract=contract)
    net = Network([64, 10], seed=2)
    package(net, "digits", contract=contract)
    return net


@contextmanager
def served(*command: str, folder: Path) -> Iterator[Client]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", timeout=30)
    process = subprocess.Popen(
        [*BENTOML, "serve", *command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env=os.environ | {"BENTOML_DO_NOT_TRACK": "True"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while not client.health():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def test_the_folder_serves_the_newest_model(digits):
    x = np.random.default_rng(0).random((3, 64)).astype(np.float32)
    with served(folder=packaging.service_folder()) as client:
        prediction = client.predict(x)
        assert (prediction.model, prediction.version) == ("digits", "2")
        assert prediction.labels == digits.forward(x).argmax(axis=1).tolist()
        with pytest.raises(RequestError):
            client.predict(x[:, :8])


def test_the_folder_serves_another_model_that_is_named(digits):
    net = Network([3, 1], seed=3)
    net.parameters[0][0, 0] = 3e38
    tag = package(net, "article")
    x = np.random.default_rng(0).uniform(-1, 1, (3, 3)).astype(np.float32)
    arguments = ("--arg", "name=article", "--arg", f"model={tag}")
    with served(*arguments, folder=packaging.service_folder()) as client:
        np.testing.assert_allclose(client.predict(x).values, net.forward(x)[:, 0], rtol=1e-6)
        # Good by the contract, but no float32 holds the answer.
        with pytest.raises(RequestError, match="no finite answer") as refused:
            client.predict([[0, 0, 0], [9, 0, 0]])
        assert refused.value.seen == "status 422"
        assert "row 1" in refused.value.wrong


def test_the_folder_builds_a_bento(digits, tmp_path):
    folder = tmp_path / "digits"
    shutil.copytree(packaging.service_folder(), folder)
    done = subprocess.run(
        [*BENTOML, "build", "--name", "digits", "--version", "byhand"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _, bento = store.find("digits:byhand")
    assert "tag: digits:2" in (bento / "bento.yaml").read_text()
    assert (bento / "src" / "service.py").is_file()
