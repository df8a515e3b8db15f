"""package: what lands in the store, what is written about it, and that nothing lands by halves."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import amaas_kit
from amaas_kit.data import Dataset, load_digits
from amaas_kit.errors import MissingError, ServingError
from amaas_kit.network import Network
from amaas_kit.serving import Contract, package, packaging, running, store
from amaas_kit.serving.card import write_card
from amaas_kit.session import tensorflow
from amaas_kit.training import evaluate, fit


@pytest.fixture(scope="module")
def trained():
    """A network trained for an epoch, with its history and evaluation."""
    split = load_digits(by="block", seed=3)
    net = Network([64, 8, 10], seed=1)
    history = fit(net, split, epochs=1, seed=5)
    return net, history, evaluate(net, split.test)


@pytest.fixture
def own_store(tmp_path, monkeypatch):
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentoml"))
    monkeypatch.setenv("AMAAS_HOME", str(tmp_path / "amaas"))
    return tmp_path / "bentoml"


def of_model(tag: str, file: str) -> dict:
    return json.loads((store.folder() / "models" / tag.replace(":", "/") / file).read_text())


def remains(folder: Path) -> list[str]:
    """The files of a store, without the lock and the empty folders."""
    return [path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.fixture(scope="module")
def digits(trained):
    net, history, evaluation = trained
    return package(net, history=history, evaluation=evaluation, intended_use="Tests only.")


def test_versions_count_up(digits, trained):
    assert digits == "digits:1"
    assert package(trained[0], history=trained[1]) == "digits:2"
    assert package(trained[0], "other", history=trained[1]) == "other:1"


def test_the_contract_follows_from_the_history(digits):
    contract = Contract.from_dict(of_model(digits, "contract.json"))
    assert (contract.features, contract.task) == (64, "classification")
    assert (contract.minimum, contract.maximum) == (0.0, 1.0)
    assert contract.labels == tuple(range(10))


def test_the_card_says_what_is_known(digits, trained):
    _, history, evaluation = trained
    card = of_model(digits, "model_card.json")
    assert card["test"] == {
        "data": evaluation.data,
        "accuracy": evaluation.accuracy,
        "loss": evaluation.loss,
        "rows": evaluation.rows,
        "baseline": evaluation.baseline,
    }
    assert card["validation"] == {"accuracy": history.val_accuracy[0], "loss": history.val_loss[0]}
    assert (card["data"]["name"], card["data"]["by"]) == (history.data.name, "block")
    assert card["data"]["split_seed"] == 3
    assert (card["training"]["seed"], card["training"]["epochs"]) == (5, 1)
    assert card["training"]["rule"] == repr(history.rule)
    assert card["intended_use"] == "Tests only."
    assert (card["name"], card["version"]) == ("digits", "1")
    assert card["parameters"] == 64 * 8 + 8 + 8 * 10 + 10
    for name, version in card["versions"].items():
        if name not in ("python", "amaas-kit"):
            assert version == importlib.metadata.version(name)


def test_figures_of_weights_that_the_model_may_not_have_are_not_on_the_card(trained):
    interrupted = dataclasses.replace(trained[1], stopped="interrupted")
    contract = Contract.from_data(interrupted.data)
    written = write_card("m", contract, 1, interrupted, None, None)
    assert set(written["validation"].values()) == {"unknown"}
    assert written["training"]["stopped"] == "interrupted"


def test_the_checksum_is_that_of_the_model_files(digits):
    folder = store.folder() / "models" / "digits" / "1" / "saved_model"
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    assert of_model(digits, "model_card.json")["sha256"] == digest.hexdigest()


def test_the_readme_says_the_same_to_people(digits):
    readme = (store.folder() / "bentos/digits/1/README.md").read_text()
    card = of_model(digits, "model_card.json")
    for said in (card["sha256"], "Tests only.", f"{card['test']['accuracy']:.4g}", "/predict"):
        assert said in readme


def test_the_bento_carries_only_what_serving_needs(digits):
    source = store.folder() / "bentos" / "digits" / "1" / "src"
    carried = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    kit = Path(amaas_kit.__file__).parent
    room = {f"amaas_kit/serving/{path.name}" for path in (kit / "serving").glob("*.py")}
    below = {f"amaas_kit/{name}.py" for name in ("__init__", "errors", "files", "ports", "session")}
    assert carried == room | below | {"service.py", "bentofile.yaml"}


def test_the_requirements_are_pinned_and_few(digits):
    bento = store.folder() / "bentos" / "digits" / "1"
    lines = (bento / "env/python/requirements.txt").read_text().split("\n")
    names = set()
    for line in filter(None, lines):
        requirement, _, _ = line.partition(";")
        name, pin, version = requirement.strip().partition("==")
        assert pin, line
        assert version == importlib.metadata.version(name.removesuffix("-cpu"))
        names.add(name)
    assert names == {"bentoml", "numpy", "tensorflow", "tensorflow-cpu"}
    for path in bento.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            assert b"index-url" not in text
            assert str(store.folder()).encode() not in text
            assert str(Path.home()).encode() + b"/" not in text


def test_what_is_not_known_is_called_unknown(own_store):
    tag = package(Network([10, 5, 1], seed=0), "article")
    card = of_model(tag, "model_card.json")
    assert card["task"] == "regression"
    assert card["intended_use"] == "unknown"
    for part in ("test", "validation", "data", "training"):
        assert set(card[part].values()) == {"unknown"}
    assert Contract.from_dict(of_model(tag, "contract.json")) == Contract(10, "regression")


@pytest.mark.parametrize(
    ("make", "extra", "task"),
    [
        (lambda: Network([4, 3], seed=0), {}, "classification"),
        (lambda: Network([4, 1], seed=0), {}, "regression"),
        (lambda: Network([4, 1], ["sigmoid"], seed=0), {}, "classification"),
        (lambda: Network([4, 1], seed=0), {"labels": ["no", "yes"]}, "classification"),
        (lambda: Network([4, 3], seed=0), {"contract": Contract(4, "regression")}, "regression"),
    ],
)
def test_what_nobody_says_is_read_off_the_model(own_store, make, extra, task):
    assert of_model(package(make(), "m", **extra), "contract.json")["task"] == task


def test_labels_and_columns_of_ones_own_table_travel(own_store, tmp_path):
    table = tmp_path / "iris.csv"
    rows = [f"{i % 7},{i % 5},{'setosa' if i % 2 else 'other'}" for i in range(40)]
    table.write_text("\n".join(["length,width,kind", *rows]))
    data = Dataset.from_csv(table, target="kind")
    net = Network([2, 2], seed=0)
    history = fit(net, data, epochs=1)
    contract = of_model(package(net, "iris", history=history), "contract.json")
    assert contract["columns"] == ["length", "width"]
    assert contract["labels"] == list(data.labels)
    named = of_model(package(net, "iris", history=history, labels=["a", "b"]), "contract.json")
    assert named["labels"] == ["a", "b"]


@pytest.mark.parametrize("name", ["Digits", "my model", "", "a" * 64, "../x", None])
def test_a_name_that_is_no_tag_is_refused_before_anything_is_made(own_store, name):
    with pytest.raises(ServingError, match="name"):
        package(Network([2, 1], seed=0), name)
    assert not own_store.exists()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"labels": ["a", "b"]}, "2 labels for a model of 3 classes"),
        ({"labels": ["a", "a", "b"]}, "share a label"),
        ({"contract": Contract(5, "classification")}, "a contract of 5"),
        ({"contract": Contract(4, "classification", input="rows")}, "'rows'"),
    ],
)
def test_a_contract_that_does_not_fit_the_model_is_refused(own_store, extra, said):
    with pytest.raises(ServingError, match=said):
        package(Network([4, 3], seed=0), **extra)
    assert not own_store.exists()


def test_weights_that_are_no_numbers_are_refused(own_store):
    net = Network([4, 3], seed=0)
    net.parameters[0][0, 0] = np.nan
    with pytest.raises(ServingError, match="not finite"):
        package(net)
    assert not own_store.exists()


def test_a_failed_build_leaves_nothing_and_quotes_bentoml(own_store, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "service.py").write_text("raise RuntimeError('a broken service')")
    (broken / "bentofile.yaml").write_text(
        (packaging.service_folder() / "bentofile.yaml").read_text()
    )
    monkeypatch.setattr(packaging, "service_folder", lambda: broken)
    with pytest.raises(ServingError, match="a broken service"):
        package(Network([2, 1], seed=0))
    assert remains(own_store) == []


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"history": "fit"}, "it is no History"),
        ({"evaluation": {"accuracy": 0.9}}, "it is no Evaluation"),
        ({"contract": {"features": 4}}, "it is no Contract"),
    ],
)
def test_facts_in_the_wrong_place_are_refused(own_store, extra, said):
    with pytest.raises(ServingError, match=said):
        package(Network([4, 3], seed=0), **extra)
    assert not own_store.exists()


def test_a_store_that_cannot_be_had_is_named(own_store):
    own_store.write_text("a file")
    with pytest.raises(ServingError, match="BENTOML_HOME") as refused:
        package(Network([2, 1], seed=0))
    assert str(own_store) in refused.value.seen


def test_a_bento_that_is_there_is_not_lost_for_want_of_the_kits_own_folder(own_store, tmp_path):
    (tmp_path / "amaas").write_text("a file")
    assert package(Network([2, 1], seed=0)) == "digits:1"
    assert store.find("digits:1")


@pytest.mark.skipif(os.name != "posix", reason="Windows limits no sizes of files")
def test_a_full_disk_leaves_nothing_and_is_named(own_store):
    program = textwrap.dedent(
        """
        import resource, signal
        from amaas_kit.errors import ServingError
        from amaas_kit.network import Network
        from amaas_kit.serving import package
        from amaas_kit.session import tensorflow
        tensorflow()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            package(Network([64, 512, 10], seed=0))
        except ServingError as error:
            print(error.wrong, error.fix)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "could not be written" in done.stdout
    assert "free some space" in done.stdout
    assert remains(own_store) == []


@pytest.mark.parametrize("step", ["export", "_copy_source", "_write_facts", "_assemble"])
def test_an_interruption_leaves_nothing(own_store, monkeypatch, step):
    done = getattr(packaging, step)

    def interrupted(*arguments):
        done(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(packaging, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        package(Network([2, 1], seed=0))
    assert remains(own_store) == []
    monkeypatch.undo()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT for one process")
def test_ctrl_c_while_bentoml_builds_leaves_nothing(own_store):
    program = "from amaas_kit.network import Network\nfrom amaas_kit.serving import package\n"
    program += "package(Network([2, 1], seed=0))"
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    while not list(own_store.rglob("saved_model.pb")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=30)[1]
    assert remains(own_store) == []
    assert package(Network([2, 1], seed=0)) == "digits:1"


def test_without_uv_nothing_is_downloaded_behind_ones_back(own_store, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingError, match="pip install uv"):
        package(Network([2, 1], seed=0))


def test_two_processes_that_package_at_once_get_two_versions(own_store):
    program = textwrap.dedent(
        """
        from amaas_kit.network import Network
        from amaas_kit.serving import package
        print(package(Network([2, 1], seed=0), "twice"))
        """
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    tags = sorted(process.communicate(timeout=120)[0].strip() for process in processes)
    assert tags == ["twice:1", "twice:2"]
    for version in ("1", "2"):
        assert (own_store / "bentos" / "twice" / version / "bento.yaml").is_file()
        assert of_model(f"twice:{version}", "model_card.json")["version"] == version


def test_old_bentos_are_cleared_away_except_those_in_use(own_store, monkeypatch):
    monkeypatch.setattr(running, "tags_in_use", lambda folder: {"m:2"})
    for _ in range(7):
        package(Network([2, 1], seed=0), "m")
    for kind in store.KINDS:
        kept = sorted(path.name for path in (own_store / kind / "m").glob("*/"))
        assert kept == ["2", "3", "4", "5", "6", "7"]


def test_the_learners_process_stays_clean(own_store):
    program = textwrap.dedent(
        """
        import os, sys
        from amaas_kit.network import Network
        from amaas_kit.serving import package
        before = os.getcwd(), list(sys.path), dict(os.environ)
        package(Network([2, 1], seed=0))
        assert before == (os.getcwd(), sys.path, {name: os.environ[name] for name in before[2]})
        assert not {"bentoml", "service"} & set(sys.modules)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_service_is_found_in_a_checkout_and_in_a_wheel(tmp_path, monkeypatch):
    assert (packaging.service_folder() / "service.py").is_file()
    for place in ("kit", "bentos/digits", "kit/bentos/digits"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(amaas_kit, "__file__", str(tmp_path / "kit" / "__init__.py"))
        if place != "kit":
            assert packaging.service_folder() == tmp_path / place


def test_a_keras_model_with_its_own_training_is_packaged(own_store):
    keras = tensorflow().keras
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    assert package(model, "plain-keras", labels=range(3)) == "plain-keras:1"
