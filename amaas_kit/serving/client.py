"""Ask a served model from Python, with clear errors instead of status codes."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from amaas_kit.errors import RequestError, ServingError
from amaas_kit.serving.contract import Contract

if TYPE_CHECKING:
    from amaas_kit.serving.server import Server


@dataclass(frozen=True)
class Prediction:
    """The answer to a request, one entry for each row.

    Attributes:
        labels: the most probable class of each row; None from a regression.
        probabilities: (rows, classes); None from a regression.
        values: (rows,) or (rows, k); None from a classifier.
        model: the name of the model that answered.
        version: its version.
    """

    labels: list[str] | list[int] | None
    probabilities: npt.NDArray[np.float64] | None
    values: npt.NDArray[np.float64] | None
    model: str
    version: str


class Client:
    """A client of one served model.

    Args:
        server: a running `Server`, or the URL of one, with or without `/predict` at its end.
        timeout: seconds to wait for the connection, and for each part of an answer.

    Raises:
        ServingError: the URL is not one.

    Taught in: notebooks/11_package_and_serve, "Ask from another process".
    """

    def __init__(self, server: Server | str, timeout: float = 10.0) -> None:
        url = str(getattr(server, "url", server))
        self.url = url.rstrip("/").removesuffix("/predict").rstrip("/")
        self.timeout = timeout
        try:
            self._parts = urllib.parse.urlsplit(self.url)
            good = self._parts.scheme in ("http", "https") and self._parts.port != 0
        except ValueError:
            good = False
        if not (good and self._parts.hostname):
            raise ServingError(
                situation="While making a client",
                seen=f"the address {self.url!r}",
                wrong="it does not say where to ask",
                fix="pass a running Server, or a URL such as http://127.0.0.1:3000",
            )

    def predict(self, x: npt.ArrayLike) -> Prediction:
        """Ask for a prediction for each row. The rows go out as they are; the service judges them.

        Args:
            x: (rows, features).

        Raises:
            RequestError: the service refused the rows; the error says why.
            ServingError: nobody answered, not in time, or not what a served model answers.
        """
        rows = self._as_lists(x)
        answer = self._json("POST", "/predict", json.dumps({"x": rows}).encode())
        try:
            return _prediction(answer, len(rows))
        except (AttributeError, LookupError, TypeError, ValueError):
            raise self._odd_answer(str(answer)[:200]) from None

    def health(self) -> bool:
        """Whether the service is up and has a model that answers."""
        try:
            status, _ = self._ask("GET", "/readyz")
        except ServingError:
            return False
        return status == HTTPStatus.OK

    def card(self) -> dict[str, Any]:
        """The model card."""
        card: dict[str, Any] = self._json("GET", "/card")
        return card

    def contract(self) -> Contract:
        """What the service takes."""
        written = self._json("GET", "/contract")
        try:
            return Contract.from_dict(written)
        except (AttributeError, TypeError, ValueError):
            raise self._odd_answer(str(written)[:200]) from None

    def _as_lists(self, x: npt.ArrayLike) -> Any:
        try:
            array = np.asarray(x)
        except ValueError:
            array = np.empty(0, object)
        if array.dtype.kind not in "biufU":
            raise RequestError(
                situation=f"While asking {self.url}",
                seen=f"rows of type {array.dtype}",
                wrong="they are ragged, or not numbers",
                fix="pass an array of numbers of shape (rows, features)",
            )
        return (array.astype(np.float64) if array.dtype.kind == "f" else array).tolist()

    def _json(self, method: str, path: str, body: bytes | None = None) -> Any:
        status, text = self._ask(method, path, body)
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            raise self._odd_answer(f"status {status} and no JSON") from None
        if status == HTTPStatus.OK:
            return answer
        if not isinstance(answer, dict) or not {"error", "fix"} <= set(answer):
            raise self._odd_answer(f"status {status}")
        kind = RequestError if status < HTTPStatus.INTERNAL_SERVER_ERROR else ServingError
        raise kind(
            situation=f"While asking {self.url}{path}",
            seen=f"status {status}",
            wrong=str(answer["error"]),
            fix=str(answer["fix"]),
        )

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        secure = self._parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self.timeout)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            connection.request(method, self._parts.path + path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise self._nobody(f"no answer within {self.timeout:g} s") from None
        except (OSError, UnicodeError, http.client.HTTPException) as error:
            raise self._nobody(f"{type(error).__name__}: {error}") from None
        finally:
            connection.close()

    def _nobody(self, seen: str) -> ServingError:
        return ServingError(
            situation=f"While asking {self.url}",
            seen=seen,
            wrong="no service answers there",
            fix="start one with serve(tag) or `amaas serve`, or correct the address",
        )

    def _odd_answer(self, seen: str) -> ServingError:
        return ServingError(
            situation=f"While asking {self.url}",
            seen=seen,
            wrong="this is not how a model of this kit answers",
            fix="look at what runs under this address; `amaas serve` prints that of a model",
        )


def _prediction(answer: Any, rows: int) -> Prediction:
    """The parts of an answer; an error of Python's own where it is none to so many rows."""
    parts = ["values"] if "values" in answer else ["labels", "probabilities"]
    if any(len(answer[part]) != rows for part in parts):
        raise ValueError(parts)
    return Prediction(
        labels=answer.get("labels"),
        probabilities=_array(answer.get("probabilities")),
        values=_array(answer.get("values")),
        model=answer["model"],
        version=answer["version"],
    )


def _array(numbers: Any) -> npt.NDArray[np.float64] | None:
    return None if numbers is None else np.asarray(numbers, np.float64)
