"""The model card: what a model was trained on, how good it is, what it is for, and what it is."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import math
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amaas_kit.serving.contract import Contract

if TYPE_CHECKING:
    from amaas_kit.training import Evaluation, History

UNKNOWN = "unknown"
"""What stands on a card where nobody said."""

Card = dict[str, Any]


def write_card(
    name: str,
    contract: Contract,
    parameters: int,
    history: History | None,
    evaluation: Evaluation | None,
    intended_use: str | None,
) -> Card:
    """A model card of plain JSON types, without the version and checksum, which come last.

    Args:
        name: of the model.
        contract: what a request must be.
        parameters: how many numbers the model has learnt.
        history: how it was trained.
        evaluation: how it did on rows that it had not seen.
        intended_use: what it is for, in a sentence.
    """
    return {
        "name": name,
        "intended_use": intended_use or UNKNOWN,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "task": contract.task,
        "parameters": parameters,
        "test": _of(evaluation, "data", "accuracy", "loss", "rows", "baseline"),
        "validation": _validation(history),
        "data": _of(
            history and history.data, "name", "rows", "features", "by", "split_seed",
            "minimum", "maximum",
        ),
        "training": _of(
            history, "loss_name", "batch_size", "seed", "epochs", "kept_epoch", "stopped", "seconds"
        )
        | {"rule": repr(history.rule) if history is not None else UNKNOWN},
        "versions": versions(),
        "contract": contract.to_dict(),
    }  # fmt: skip


def versions() -> dict[str, str]:
    """The versions of Python and of every package that the model was made with."""
    from amaas_kit import __version__
    from amaas_kit.session import tensorflow

    tf = tensorflow()
    return {
        "amaas-kit": __version__,
        "bentoml": importlib.metadata.version("bentoml"),
        "keras": str(tf.keras.__version__),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "tensorflow": str(tf.__version__),
    }


def checksum(folder: Path) -> str:
    """SHA-256 over the names and contents of all files in a folder, in the order of the names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def as_markdown(card: Mapping[str, Any]) -> str:
    """The same card for people, with the way to ask the model: the README of the Bento."""
    contract = Contract.from_dict(card["contract"])
    lines = [
        f"# {card['name']}, version {card['version']}",
        "",
        f"Intended use: {card['intended_use']}",
    ]
    for part in ("test", "validation", "data", "training", "versions"):
        lines += ["", f"## {part.capitalize()}", "", "| | |", "|---|---|"]
        lines += [f"| {_words(key)} | {_shown(value)} |" for key, value in card[part].items()]
    lines += ["", "## Model", "", "| | |", "|---|---|"]
    lines += [
        f"| {_words(key)} | {_shown(card[key])} |"
        for key in ("task", "parameters", "sha256", "created")
    ]
    return "\n".join([*lines, "", *_usage(contract)]) + "\n"


def _validation(history: History | None) -> Card:
    """How the model did after the epoch whose weights it has, and no other."""
    if (
        history is None
        or history.stopped == "interrupted"
        or not 0 < history.kept_epoch <= len(history.val_loss)
    ):
        return {"accuracy": UNKNOWN, "loss": UNKNOWN}
    kept = history.kept_epoch - 1
    accuracy = history.val_accuracy[kept] if history.val_accuracy else None
    return {"accuracy": _plain(accuracy), "loss": _plain(history.val_loss[kept])}


def _of(facts: object | None, *names: str) -> Card:
    """The named facts; those that are None, or of nothing, are unknown."""
    return {name: _plain(getattr(facts, name, None)) for name in names}


def _plain(value: Any) -> Any:
    """A fact as JSON can hold it: a seed may be a NumPy number, a loss may be NaN."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return UNKNOWN if value is None else str(value)


def _usage(contract: Contract) -> list[str]:
    row = [contract.minimum if contract.minimum is not None else 0.0] * contract.features
    low = "no least value" if contract.minimum is None else f"at least {contract.minimum:g}"
    high = "no greatest value" if contract.maximum is None else f"at most {contract.maximum:g}"
    given = "labels and probabilities" if contract.task == "classification" else "values"
    return [
        "## How to ask",
        "",
        f"`POST /predict` takes 1 to {contract.max_rows:,} rows of {contract.features} numbers "
        f"({low}, {high}) and answers {given}. `GET /contract` says the same to programs.",
        *([f"Columns: {', '.join(contract.columns)}."] if contract.columns else []),
        *([f"Labels: {', '.join(map(str, contract.labels))}."] if contract.labels else []),
        "",
        "```",
        "curl http://127.0.0.1:3000/predict -H 'Content-Type: application/json' \\",
        f"  -d '{{\"{contract.input}\": [{row}]}}'",
        "```",
    ]


def _words(key: str) -> str:
    return key.replace("_", " ")


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")
