"""The served model: what it reads, that it is tried out first, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from amaas_kit.errors import RequestError, ServingError
from amaas_kit.network import Network
from amaas_kit.serving import Contract, package, store
from amaas_kit.serving.service import ServedModel, pages, read_contract, refusals
from amaas_kit.session import tensorflow

NET = Network([3, 4, 2], seed=1)


@pytest.fixture(scope="module")
def stored() -> SimpleNamespace:
    """A packaged model, as BentoML hands it to a service."""
    name, _, version = package(NET, "m", labels=["no", "yes"]).partition(":")
    folder = store.folder() / "models" / name / version
    return SimpleNamespace(path=str(folder), tag=SimpleNamespace(name=name, version=version))


def test_it_answers_as_the_model_does(stored):
    x = np.random.default_rng(0).normal(size=(5, 3))
    answer = ServedModel(stored).answer(x)
    z = NET.forward(x.astype(np.float32))
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
    assert answer["labels"] == [["no", "yes"][c] for c in z.argmax(axis=1)]
    assert (answer["model"], answer["version"]) == ("m", "1")


def test_it_keeps_the_contract_by_itself(stored):
    with pytest.raises(RequestError):
        ServedModel(stored).answer(np.zeros((1, 8)))


def test_numbers_that_the_model_cannot_compute_with_are_the_senders_fault():
    layers = tensorflow().keras.layers
    table = [tensorflow().keras.Input((1,)), layers.Embedding(5, 2), layers.Flatten()]
    name, _, version = package(tensorflow().keras.Sequential(table), "table").partition(":")
    path = str(store.folder() / "models" / name / version)
    served = ServedModel(
        SimpleNamespace(path=path, tag=SimpleNamespace(name=name, version=version))
    )
    assert served.answer(np.array([[4]]))["labels"] in ([0], [1])
    with pytest.raises(RequestError, match="cannot compute"):
        served.answer(np.array([[5]]))


def test_the_contract_is_read_without_tensorflow(stored):
    assert read_contract(stored) == Contract(3, "classification", labels=("no", "yes"))


@pytest.fixture
def copied(stored, tmp_path) -> SimpleNamespace:
    """A copy of the packaged model, to be damaged."""
    shutil.copytree(stored.path, tmp_path / "model")
    return SimpleNamespace(path=str(tmp_path / "model"), tag=stored.tag)


FILES = [
    "contract.json",
    "model_card.json",
    "saved_model/saved_model.pb",
    "saved_model/variables/variables.index",
    "saved_model/variables/variables.data-00000-of-00001",
]


def changed(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"!")


def removed(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", [changed, removed, emptied])
def test_a_damaged_model_is_told_from_a_whole_one(copied, file, damage):
    read_contract(copied)
    damage(Path(copied.path) / file)
    with pytest.raises(ServingError, match="not as it was packaged"):
        read_contract(copied)


def test_a_contract_that_the_card_does_not_know_is_none(copied):
    file = Path(copied.path) / "contract.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"maximum": 255.0}))
    with pytest.raises(ServingError, match="not as it was packaged"):
        read_contract(copied)


def test_a_model_that_does_not_answer_is_never_ready(copied):
    contract = Contract(7, "regression").to_dict()
    (Path(copied.path) / "contract.json").write_text(json.dumps(contract))
    card = json.loads((Path(copied.path) / "model_card.json").read_text())
    (Path(copied.path) / "model_card.json").write_text(json.dumps(card | {"contract": contract}))
    with pytest.raises(Exception, match="3"):
        ServedModel(copied)


def test_a_refusal_is_told_to_bentoml_with_its_status():
    from bentoml.exceptions import BentoMLException

    with pytest.raises(BentoMLException, match="no finite answer") as refused, refusals():
        Contract(1, "regression").answer(np.array([[np.nan]]), "m", "1")
    assert refused.value.error_code == 422


def test_the_pages_are_the_files_of_the_model(stored):
    routes = {route.path: route for route in pages(stored).routes}
    assert set(routes) == {"/contract", "/card"}
    for path, file in (("/contract", "contract.json"), ("/card", "model_card.json")):
        answer = asyncio.run(routes[path].endpoint(None))
        assert answer.body == (Path(stored.path) / file).read_bytes()
        assert answer.media_type == "application/json"


def test_the_room_is_light():
    program = "import sys, amaas_kit.serving; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"tensorflow", "keras", "bentoml", "polars", "matplotlib", "starlette", "httpx"}
    assert not heavy & set(done.stdout.split())
