"""One call from a trained model to a Bento that needs nothing but itself."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import amaas_kit
from amaas_kit.errors import MissingError, ServingError
from amaas_kit.serving import assemble, card, running, store
from amaas_kit.serving.contract import Contract, plain_labels
from amaas_kit.serving.export import Exportable, export, inspect
from amaas_kit.serving.service import CONTRACT_FILE, SAVED_MODEL

if TYPE_CHECKING:
    from amaas_kit.training import Evaluation, History

SITUATION = "While packaging a model"

LOG_LINES = 15
"""So many lines of what BentoML says an error quotes."""

CARRIED = ("__init__.py", "errors.py", "files.py", "ports.py", "session.py", "serving")
"""The parts of the kit that a Bento carries: what serving needs, and nothing else."""


def package(
    model: Any,
    name: str = "digits",
    history: History | None = None,
    contract: Contract | None = None,
    labels: Iterable[str | int] | None = None,
    evaluation: Evaluation | None = None,
    intended_use: str | None = None,
) -> str:
    """Make a self-contained Bento of a model, and keep it in BentoML's store.

    The Bento holds the model as a SavedModel, the kit's code that serves it, the packages that it
    needs with their exact versions, and a model card. Nothing is in the store before all of it is.
    Older Bentos of the name are cleared away, except for the last five and those being served.

    Args:
        model: a `Network`, or a Keras model with one input and one list of numbers as output.
        name: the first half of the tag; lower-case letters, digits, '-', '_', '.'.
        history: what `fit` returned; tells task, column names, labels, range, and fills the card.
        contract: what a request must be; by default it follows from `history`, or from the model
            alone: several outputs, or one sigmoid, are then read as classes, else as values.
        labels: one name for each class, in place of those of the contract.
        evaluation: what `evaluate` returned for rows that the model never saw, for the card.
        intended_use: what the model is for, in a sentence, for the card.

    Returns:
        The tag, such as "digits:1"; versions count up by name.

    Raises:
        ServingError: the name is no valid tag, the model cannot be served or does not fit the
            contract, the disk is full, or BentoML could not build it.
        MissingError: uv is not installed.

    Taught in: notebooks/11_package_and_serve, "Package".
    """
    store.check_name(name)
    _check_kinds(history, contract, evaluation)
    _check_uv()
    found = inspect(model)
    contract = _contract(found, history, contract, labels)
    written = card.write_card(
        name, contract, found.model.count_params(), history, evaluation, intended_use
    )
    loss_name = history.loss_name if history is not None else None
    try:
        with store.workshop() as work:
            version = store.next_version(name)
            export(found, work / "model" / SAVED_MODEL, contract.task, loss_name)
            _copy_source(work / "source")
            _write_facts(work, contract, written | {"version": str(version)})
            _assemble(work, name, version)
            store.adopt(work / "store", name, version)
            with contextlib.suppress(OSError):  # the Bento is there; clearing away can wait
                store.prune(name, in_use=running.tags_in_use(store.folder()))
    except OSError as error:
        _refuse(
            str(error),
            "the Bento could not be written",
            "free some space, or set BENTOML_HOME to a folder that you may write to",
        )
    return f"{name}:{version}"


def service_folder() -> Path:
    """The service that is packaged: it lies in the kit in a wheel, beside it in a checkout."""
    kit = Path(amaas_kit.__file__).parent
    inside = kit / "bentos" / "digits"
    return inside if inside.is_dir() else kit.parent / "bentos" / "digits"


def _check_kinds(history: object, contract: object, evaluation: object) -> None:
    """Refuse facts in the wrong place: a card that quietly calls them unknown would be worse."""
    from amaas_kit.training import Evaluation, History

    for given, kind, source in (
        (history, History, "what fit returned"),
        (contract, Contract, "a Contract"),
        (evaluation, Evaluation, "what evaluate returned"),
    ):
        if not isinstance(given, kind | None):
            name = kind.__name__.lower()
            _refuse(
                f"{name}={given!r}"[:99], f"it is no {kind.__name__}", f"pass {source} as {name}="
            )


def _contract(
    found: Exportable,
    history: History | None,
    contract: Contract | None,
    labels: Iterable[str | int] | None,
) -> Contract:
    """The contract of the Bento, checked against the model."""
    if contract is None:
        contract = (
            Contract.from_data(history.data) if history is not None else _guess(found, labels)
        )
    if labels is not None:
        contract = dataclasses.replace(contract, labels=plain_labels(labels))
    if contract.features != found.features:
        _refuse(
            f"a model that takes {found.features} numbers, a contract of {contract.features}",
            "every request would be refused, or the model could not take it",
            "pass the history or the contract of this model",
        )
    if contract.input != "x":
        _refuse(
            f"a contract whose field is called {contract.input!r}",
            'the packaged service reads the field "x"',
            'leave input="x"',
        )
    if contract.task == "classification" and len(contract.labels or ()) not in (0, found.classes):
        _refuse(
            f"{len(contract.labels or ())} labels for a model of {found.classes} classes",
            "some classes would have no name, or some names no class",
            "give one label for each output of the model, in the order of the outputs",
        )
    return contract


def _guess(found: Exportable, labels: Iterable[str | int] | None) -> Contract:
    """The contract that a model suggests when nothing else is known of it."""
    is_classifier = labels is not None or found.looks_like_classes
    return Contract(found.features, "classification" if is_classifier else "regression")


def _copy_source(source: Path) -> None:
    """The service, its build file and the parts of the kit that it uses."""
    kit = Path(amaas_kit.__file__).parent
    _copy(service_folder(), source)
    for part in CARRIED:
        _copy(kit / part, source / "amaas_kit" / part)


def _copy(original: Path, copy: Path) -> None:
    copy.parent.mkdir(exist_ok=True)
    if original.is_dir():
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(original, copy)


def _write_facts(work: Path, contract: Contract, written: card.Card) -> None:
    """The contract, the card and its page for people, and the versions to pin."""
    model = work / "model"
    written = written | {"sha256": card.checksum(model / SAVED_MODEL)}
    (model / CONTRACT_FILE).write_text(json.dumps(contract.to_dict(), indent=2))
    (model / store.CARD_FILE).write_text(json.dumps(written, indent=2))
    (work / "source" / "README.md").write_text(card.as_markdown(written), encoding="utf-8")
    (work / "versions.json").write_text(json.dumps(written["versions"]))


def _assemble(work: Path, name: str, version: int) -> None:
    """Have BentoML build the Bento in a store of its own, in a process of its own."""
    command = [sys.executable, "-P", assemble.__file__, str(work), name, str(version)]
    alone = {"BENTOML_HOME": str(work / "store"), "BENTOML_DO_NOT_TRACK": "True"}
    done = subprocess.run(
        command,
        cwd=work,
        env=os.environ | alone,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        _refuse(
            "\n".join(done.stdout.decode(errors="replace").strip().splitlines()[-LOG_LINES:]),
            f"BentoML could not build the Bento (exit status {done.returncode})",
            "mend what the last line names; `amaas doctor` checks this machine",
        )


def _check_uv() -> None:
    """BentoML wants uv at hand whenever it builds, and would download it if it were not."""
    if shutil.which("uv") is None and importlib.util.find_spec("uv") is None:
        raise MissingError(
            situation=SITUATION,
            seen="neither a command nor a package called uv",
            wrong="BentoML asks for it whenever it builds a Bento",
            fix="pip install uv",
        )


def _refuse(seen: str, wrong: str, fix: str) -> NoReturn:
    raise ServingError(SITUATION, seen, wrong, fix)
