"""The door of a service: requests that break the contract get one kind of answer and no further."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from amaas_kit.errors import RequestError
from amaas_kit.serving.contract import Contract, refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

PREDICT = "/predict"

READ_SECONDS = 8.0
"""A body that has not arrived by then is refused; BentoML itself gives up after 10 s."""

DRAINED_BYTES = 64 * 2**20
"""So much of a body that is too long is read and dropped, so that its sender hears the refusal."""

FIXES = {
    HTTPStatus.BAD_REQUEST: "see GET /contract for what a request must be",
    HTTPStatus.NOT_FOUND: "ask POST /predict, GET /contract, GET /card or GET /readyz",
    HTTPStatus.METHOD_NOT_ALLOWED: "send predictions as POST /predict; the other pages are GET",
    HTTPStatus.REQUEST_TIMEOUT: "send the whole body at once",
    HTTPStatus.UNPROCESSABLE_ENTITY: "send values nearer to those that the model was trained on",
    HTTPStatus.SERVICE_UNAVAILABLE: "wait until GET /readyz answers 200",
}


class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """The answer to a request that goes no further."""

    def __init__(self, status: HTTPStatus, error: str, fix: str) -> None:
        super().__init__(status, error, fix)
        self.status = status
        self.body = {"error": error, "fix": fix}


class Guard:
    """ASGI middleware that lets only requests through that keep the contract.

    It reads the body of `POST /predict` up to the contract's limit and decodes it before BentoML
    does, which by itself would reshape rows, take text and booleans for numbers and answer NaN.
    Every answer from 400 on, its own and what comes from behind it, is `{"error": …, "fix": …}`.

    Args:
        app: the application behind it.
        contract: what a request must be.

    Taught in: notebooks/11_package_and_serve, "A contract for every request".
    """

    def __init__(self, app: App, contract: Contract) -> None:
        self.app = app
        self.contract = contract

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or let it through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "POST" and scope["path"] == PREDICT:
            try:
                receive = _again(await self._checked_body(scope, receive), receive)
            except Refusal as no:
                await _answer(send, no.status, no.body)
                return
        await self.app(scope, receive, _in_one_shape(send))

    async def _checked_body(self, scope: Message, receive: Receive) -> bytes:
        """The body of a request, once it keeps the contract."""
        headers = [(name.lower(), value.strip().lower()) for name, value in scope["headers"]]
        _check_media_type([value for name, value in headers if name == b"content-type"])
        _check_encoding([value for name, value in headers if name == b"content-encoding"])
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await self._body(receive)
        except TimeoutError:
            error = f"the body was not complete after {READ_SECONDS:.0f} s"
            status = HTTPStatus.REQUEST_TIMEOUT
            raise Refusal(status, error, FIXES[status]) from None
        try:
            self.contract.decode(body)
        except RequestError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, **refusal(error)) from None
        return body

    async def _body(self, receive: Receive) -> bytes:
        """The whole body, or the refusal of one that is longer than the contract allows."""
        body, length, more = bytearray(), 0, True
        while more and length <= DRAINED_BYTES:
            message = await receive()
            if message["type"] == "http.disconnect":
                status = HTTPStatus.BAD_REQUEST
                raise Refusal(status, "the body ended before it was complete", FIXES[status])
            chunk, more = message.get("body", b""), message.get("more_body", False)
            length += len(chunk)
            if length <= self.contract.body_limit:
                body += chunk
        if length > self.contract.body_limit:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a body of more than {self.contract.body_limit:,} bytes",
                f"send at most {self.contract.max_rows:,} rows in one request",
            )
        return bytes(body)


def _check_media_type(types: list[bytes]) -> None:
    """Only JSON, and only when the sender says so.

    A body without a type is refused too: a page in a browser may send one to any server without
    asking, but not one that is called JSON.
    """
    media_type, _, parameters = types[0].partition(b";") if len(types) == 1 else (b"", b"", b"")
    in_utf8 = parameters.replace(b'"', b"").strip() in (b"", b"charset=utf-8", b"charset=utf8")
    if media_type.strip() != b"application/json" or not in_utf8:
        seen = ascii(b", ".join(types)[:60].decode("latin-1")) if types else "no content type"
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"{seen}: the service reads JSON in UTF-8 only",
            "send JSON with the header Content-Type: application/json",
        )


def _check_encoding(encodings: list[bytes]) -> None:
    if any(encoding not in (b"", b"identity") for encoding in encodings):
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "a compressed body: the service reads plain JSON only",
            "send the body without compression",
        )


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read already, then what comes after it."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _in_one_shape(send: Send) -> Send:
    """A `send` that holds back an answer from 400 on and sends the kit's shape in its place.

    A path with a slash too many is not found: the redirect of the framework would lead to whatever
    host the sender named.
    """
    held: dict[str, Any] = {}

    async def sender(message: Message) -> None:
        if message["type"] == "http.response.start":
            redirects = message["status"] == HTTPStatus.TEMPORARY_REDIRECT
            status = HTTPStatus.NOT_FOUND if redirects else HTTPStatus(message["status"])
            if status >= HTTPStatus.BAD_REQUEST:
                held.update(status=status, headers=message["headers"], body=b"")
                return
        if not held:
            await send(message)
            return
        held["body"] += message.get("body", b"")
        if not message.get("more_body", False):
            status = held["status"]
            fix = FIXES.get(status, "look into the log of the server")
            kept = [(name, value) for name, value in held["headers"] if name == b"allow"]
            await _answer(send, status, {"error": _said(held["body"], status), "fix": fix}, kept)

    return sender


def _said(body: bytes, status: HTTPStatus) -> str:
    """What an answer of BentoML says is wrong, or what its status means."""
    try:
        said = json.loads(body)
        said = said[0] if isinstance(said, list) else said
        return str(said["error"])
    except (ValueError, LookupError, TypeError):
        return status.phrase


async def _answer(
    send: Send,
    status: HTTPStatus,
    content: dict[str, str],
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    body = json.dumps(content).encode()
    plain = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": status, "headers": plain + (headers or [])}
    await send(start)
    await send({"type": "http.response.body", "body": body})
