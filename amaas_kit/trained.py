"""From a data set to a trained network with settings that suit it, and its record on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from amaas_kit import files, training
from amaas_kit.data import Dataset, Split
from amaas_kit.errors import DataError, ModelFileError
from amaas_kit.network import Network
from amaas_kit.training import DataFacts, Epoch, Evaluation, History

FORMAT = 1
"""The version of the record that `save` writes."""

READERS = {
    ".csv": Dataset.from_csv,
    ".tsv": Dataset.from_csv,
    ".parquet": Dataset.from_parquet,
}


@dataclass(frozen=True)
class Trained:
    """A network, how it was trained, and how it did on rows that it had not seen."""

    network: Network
    history: History
    evaluation: Evaluation

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the network to `path`, and the rest to the file that `record_of` names."""
        target = Path(path)
        self.network.save(target)
        record = {
            "format": FORMAT,
            "sha256": _checksum(target),
            "rule": type(self.history.rule).__name__,
            "history": asdict(self.history),
            "evaluation": asdict(self.evaluation),
        }
        text = json.dumps(record, indent=2)
        files.write_whole(record_of(target), lambda file: file.write(text.encode()))
        return target


def record_of(model: Path) -> Path:
    """The file beside a model file that says how the model was trained."""
    return model.with_name(f"{model.name}.json")


def load(path: str | os.PathLike[str]) -> tuple[Network, History | None, Evaluation | None]:
    """Read what `Trained.save` wrote; of a model file without a record, the network alone.

    Raises:
        ModelFileError: the model file is missing, damaged or newer, or its record is not of it.
    """
    source = Path(path)
    network = Network.load(source)
    record_file = record_of(source)
    if not record_file.exists():
        return network, None, None
    try:
        record = json.loads(record_file.read_bytes())
        if record["format"] > FORMAT:
            raise ValueError(f"format {record['format']}, and this version reads {FORMAT}")
        if record["sha256"] != _checksum(source):
            raise ValueError("it was written for another model file")
        history = _history(record["rule"], record["history"])
        return network, history, Evaluation(**record["evaluation"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelFileError(
            situation=f"While reading the record {record_file}",
            seen=f"{type(error).__name__}: {error}",
            wrong=f"it does not say how {source.name} was trained",
            fix="train again, or remove the record: the model is then packaged without it",
        ) from None


def read_data(path: str | os.PathLike[str], target: str | None) -> Dataset:
    """A data set from a file: CSV or Parquet with a target column, or NPZ with arrays x and y.

    Raises:
        DataError: the file is of another kind, no target was named, or the file is not good.
    """
    file = Path(path)
    situation = f"While reading {file}"
    if file.suffix == ".npz":
        return Dataset.from_npz(file, y=target or "y")
    if file.suffix not in READERS:
        raise DataError(
            situation,
            seen=f"a name that ends in {file.suffix!r}",
            wrong="data comes as .csv, .tsv, .parquet or .npz",
            fix="name such a file, or `digits` for the digits that travel with the kit",
        )
    if target is None:
        raise DataError(
            situation,
            seen="no target",
            wrong="somebody has to say which column is to be predicted",
            fix=f"amaas train {file} --target COLUMN",
        )
    return READERS[file.suffix](file, target)


def train(
    split: Split,
    hidden: Sequence[int] = (128, 64),
    rate: float = 1e-3,
    epochs: int | None = None,
    seed: int = 0,
) -> Trained:
    """Train a network on a split and measure it on the test part.

    Features that have no range by definition are brought to mean 0 and deviation 1 for training,
    and so are values to predict. That is then worked into the first and the last layer, so that
    the network takes and gives the numbers as they are in the data.

    Args:
        split: what to train, validate and test on.
        hidden: the sizes of the hidden layers.
        rate: the learning rate of Adam.
        epochs: how many; None is 20 for data with a range, else 200 at most, ending 20 epochs
            after the validation loss was least.
        seed: of the first weights and of the order of the rows.
    """
    data = split.train
    scale = _Scale.of(data)
    scaled = replace(
        split,
        train=scale.apply(split.train),
        validation=scale.apply(split.validation),
        test=scale.apply(split.test),
    )
    outputs = data.classes or (1 if data.y.ndim == 1 else data.y.shape[1])
    network = Network([data.features, *hidden, outputs], seed=seed)
    history = training.fit(
        network,
        scaled,
        rule=training.Adam(rate),
        epochs=epochs or (20 if data.bounds else 200),
        batch_size=min(32, data.rows),
        seed=seed,
        patience=None if data.bounds or epochs else 20,
    )
    scale.fold_into(network)
    history.records = [scale.unscaled(record) for record in history.records]
    history.data = DataFacts.of(split, split.validation)
    return Trained(network, history, training.evaluate(network, split.test))


@dataclass(frozen=True)
class _Scale:
    """What was taken from features (d,) and targets (k,), and by what they were divided."""

    x_mean: np.ndarray[Any, np.dtype[np.float64]]
    x_deviation: np.ndarray[Any, np.dtype[np.float64]]
    y_mean: np.ndarray[Any, np.dtype[np.float64]]
    y_deviation: float

    @classmethod
    def of(cls, data: Dataset) -> _Scale:
        """Measured on the training rows; nothing changes where there is a range or a class."""
        x = data.x.reshape(data.rows, -1).astype(np.float64)
        x_mean, x_deviation = np.zeros(data.features), np.ones(data.features)
        if data.bounds is None:
            x_mean, deviation = x.mean(axis=0), x.std(axis=0)
            x_deviation = np.where(deviation > 0, deviation, 1.0)
        if data.task == "classification":
            return cls(x_mean, x_deviation, np.zeros(1), 1.0)
        y = data.y.reshape(data.rows, -1).astype(np.float64)
        y_mean = y.mean(axis=0)
        return cls(x_mean, x_deviation, y_mean, float((y - y_mean).std()) or 1.0)

    def apply(self, data: Dataset) -> Dataset:
        """The same rows, scaled."""
        x = (data.x.reshape(data.rows, -1) - self.x_mean) / self.x_deviation
        y = data.y
        if data.task == "regression":
            y = ((y.reshape(data.rows, -1) - self.y_mean) / self.y_deviation).reshape(y.shape)
        return replace(data, x=x.astype(np.float32), y=y.astype(data.y.dtype))

    def fold_into(self, network: Network) -> None:
        """Let a network trained on scaled numbers take and give unscaled ones."""
        parameters = [parameter.astype(np.float64) for parameter in network.parameters]
        parameters[0] = parameters[0] / self.x_deviation[:, None]
        parameters[1] = parameters[1] - self.x_mean @ parameters[0]
        parameters[-2] = parameters[-2] * self.y_deviation
        parameters[-1] = parameters[-1] * self.y_deviation + self.y_mean
        network.set_parameters([parameter.astype(network.dtype) for parameter in parameters])

    def unscaled(self, record: Epoch) -> Epoch:
        """An epoch's squared errors in the square of the target's own unit."""
        factor = self.y_deviation**2
        val_loss = None if record.val_loss is None else record.val_loss * factor
        return record._replace(loss=record.loss * factor, val_loss=val_loss)


def _history(rule: str, record: dict[str, Any]) -> History:
    facts = record["data"]
    for name in ("bounds", "columns", "labels"):
        if facts[name] is not None:
            facts[name] = tuple(facts[name])
    known = {"rule": getattr(training, rule)(**record["rule"]), "data": DataFacts(**facts)}
    return replace(History(**record | known), records=[Epoch(*row) for row in record["records"]])


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
