"""What a served model is made of: the SavedModel and its contract, read from BentoML's store."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import RequestError, ServingError
from amaas_kit.serving.card import checksum
from amaas_kit.serving.contract import Contract, Rows, refusal
from amaas_kit.serving.store import CARD_FILE
from amaas_kit.session import tensorflow

if TYPE_CHECKING:
    from bentoml import Model
    from starlette.applications import Starlette

CONTRACT_FILE = "contract.json"
SAVED_MODEL = "saved_model"


class ServedModel:
    """A packaged model, loaded and tried out once, so that whoever holds it can answer.

    Args:
        stored: the model in BentoML's store.

    Taught in: notebooks/11_package_and_serve, "A page of plain BentoML".
    """

    def __init__(self, stored: Model) -> None:
        self.contract = read_contract(stored)
        self.name, self.version = stored.tag.name, str(stored.tag.version)
        self._tf = tensorflow()
        self._loaded = self._tf.saved_model.load(str(Path(stored.path) / SAVED_MODEL))
        self._signature = self._loaded.signatures["serving_default"]
        self.outputs(np.zeros((1, self.contract.features), np.float32))

    def outputs(self, rows: Rows) -> npt.NDArray[np.float32]:
        """What the model gives for rows of shape (n, features): probabilities, or values."""
        given = self._signature(self._tf.constant(rows))["outputs"]
        return np.asarray(given, np.float32)

    def answer(self, x: npt.NDArray[Any]) -> dict[str, Any]:
        """The answer to a request, as the contract writes it.

        Args:
            x: an array of shape (rows, features).

        Raises:
            RequestError: `x` breaks the contract, or the model has no finite answer to it.
        """
        rows = self.contract.check(x)
        try:
            outputs = self.outputs(rows)
        except self._tf.errors.InvalidArgumentError:
            raise RequestError(
                situation="While computing an answer",
                seen=f"{len(rows):,} rows that keep the contract",
                wrong="the model cannot compute with some of their numbers",
                fix="send values such as those that the model was trained on",
            ) from None
        return self.contract.answer(outputs, self.name, self.version)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Let BentoML answer with status 422 what would else be its 500: rows without an answer."""
    from bentoml.exceptions import BentoMLException

    try:
        yield
    except RequestError as error:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        raise BentoMLException(refusal(error)["error"], error_code=status) from None


def read_contract(stored: Model) -> Contract:
    """The contract that a model was packaged with, once its files are found to be the same still.

    Raises:
        ServingError: a file is missing, or is not the one that was packaged.
    """
    folder = Path(stored.path)
    try:
        card, contract = (
            json.loads((folder / file).read_bytes()) for file in (CARD_FILE, CONTRACT_FILE)
        )
        whole = card["contract"] == contract and card["sha256"] == checksum(folder / SAVED_MODEL)
    except (OSError, ValueError, LookupError, TypeError):
        whole = False
    if not whole:
        raise ServingError(
            situation=f"While reading the model {stored.tag}",
            seen=f"the files in {folder}",
            wrong="one is missing, or is not as it was packaged",
            fix="package the model again, or copy it again from where it is whole",
        )
    return Contract.from_dict(contract)


def pages(stored: Model) -> Starlette:
    """Two pages about a model, in JSON: `GET /contract` and `GET /card`."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def page(path: str, file: str) -> Route:
        async def read(_: Request) -> Response:
            return Response((Path(stored.path) / file).read_bytes(), media_type="application/json")

        return Route(path, read, methods=["GET"])

    return Starlette(routes=[page("/contract", CONTRACT_FILE), page("/card", CARD_FILE)])
