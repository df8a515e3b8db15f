"""The guard as ASGI middleware, in front of an application that says what reached it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from amaas_kit.serving import Contract, guard

DIGITS = Contract(64, "classification", minimum=0.0, maximum=1.0)
GOOD = json.dumps({"x": [[0.5] * 64]}).encode()
JSON = {"content-type": "application/json"}


@dataclass
class Behind:
    """An application that answers as it was told, and keeps what reached it."""

    status: int = 200
    answer: bytes = b'{"labels": [3]}'
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope, receive, send):
        message, body = await receive(), b""
        while True:
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
            message = await receive()
        self.bodies.append(body)
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        half = len(self.answer) // 2
        await send({"type": "http.response.body", "body": self.answer[:half], "more_body": True})
        await send({"type": "http.response.body", "body": self.answer[half:]})


def ask(
    behind: Behind,
    body: bytes | Iterable[bytes] = b"",
    headers: dict[str, str] | None = None,
    method: str = "POST",
    path: str = "/predict",
    gone: bool = False,
):
    """Status, headers and body of the answer; the body of the request may come in chunks."""
    chunks = [body] if isinstance(body, bytes) else list(body)
    messages = [
        {"type": "http.request", "body": chunk, "more_body": gone or i < len(chunks) - 1}
        for i, chunk in enumerate(chunks)
    ]
    if gone:
        messages.append({"type": "http.disconnect"})
    sent = []

    async def receive():
        if not messages:
            await asyncio.sleep(3600)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw}
    asyncio.run(guard.Guard(behind, DIGITS)(scope, receive, send))
    start, *rest = sent
    text = b"".join(message.get("body", b"") for message in rest)
    return start["status"], dict(start["headers"]), text


def refusal(answer):
    status, headers, text = answer
    said = json.loads(text)
    assert set(said) == {"error", "fix"}
    assert all(said.values())
    assert headers[b"content-type"] == b"application/json"
    assert int(headers[b"content-length"]) == len(text)
    return status, said


def test_a_good_request_goes_through_unchanged():
    behind = Behind()
    assert ask(behind, [GOOD[:9], GOOD[9:]], JSON) == (200, {}, b'{"labels": [3]}')
    assert behind.bodies == [GOOD]


def test_a_bad_request_goes_no_further(bad_request):
    body, said = bad_request
    behind = Behind()
    status, answer = refusal(ask(behind, body, JSON))
    assert status == 400
    assert said in f"{answer['error']} {answer['fix']}"
    assert behind.bodies == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/vnd.bentoml+pickle"},
        {"content-type": "application/vnd.bentoml+arrow"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/jsonp"},
        {"content-type": "\u00e9"},
        JSON | {"content-encoding": "gzip"},
    ],
)
def test_only_plain_json_is_read(headers):
    behind = Behind()
    assert refusal(ask(behind, GOOD, headers))[0] == 415
    assert behind.bodies == []


@pytest.mark.parametrize(
    "media_type",
    ["application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"', "application/json;"],
)
def test_json_may_say_that_it_is_utf_8(media_type):
    assert ask(Behind(), GOOD, {"content-type": media_type})[0] == 200


@pytest.mark.parametrize("chunk", [1 << 10, 1 << 16, 1 << 30])
def test_a_body_that_is_too_long_is_refused_however_it_comes(chunk):
    long = b" " * (DIGITS.body_limit + 1)
    chunks = [long[i : i + chunk] for i in range(0, len(long), chunk)]
    behind = Behind()
    status, said = refusal(ask(behind, chunks, JSON))
    assert status == 413
    assert f"{DIGITS.body_limit:,}" in said["error"]
    assert behind.bodies == []


def test_a_body_of_the_greatest_length_is_read():
    padded = GOOD + b" " * (DIGITS.body_limit - len(GOOD))
    assert ask(Behind(), padded, JSON)[0] == 200


def test_an_endless_body_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(guard, "DRAINED_BYTES", 1 << 22)
    taken = 0

    async def receive():
        nonlocal taken
        taken += 1 << 16
        return {"type": "http.request", "body": b" " * (1 << 16), "more_body": True}

    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers}
    asyncio.run(guard.Guard(Behind(), DIGITS)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert taken <= (1 << 22) + (1 << 16)


def test_a_body_that_does_not_come_is_refused(monkeypatch):
    monkeypatch.setattr(guard, "READ_SECONDS", 0.05)
    behind = Behind()
    # The empty list of chunks leaves `receive` waiting.
    assert refusal(ask(behind, [], JSON))[0] == 408
    assert behind.bodies == []


def test_half_a_body_goes_no_further():
    behind = Behind()
    assert refusal(ask(behind, [GOOD[:9]], JSON, gone=True))[0] == 400
    assert behind.bodies == []


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (400, b'{"error": "no", "detail": []}', "no"),
        (422, b'[{"error": "row 0"}]', "row 0"),
        (404, b"Not Found", "Not Found"),
        (405, b"", "Method Not Allowed"),
        (429, b'{"message": "slow"}', "Too Many Requests"),
        (500, b"[]", "Internal Server Error"),
        (503, b"\xff", "Service Unavailable"),
    ],
)
def test_what_is_refused_behind_the_guard_gets_the_same_shape(status, said, expected):
    behind = Behind(status, said, [(b"allow", b"POST"), (b"content-length", b"999")])
    answer = ask(behind, method="GET", path="/elsewhere")
    assert refusal(answer) == (status, {"error": expected, "fix": json.loads(answer[2])["fix"]})
    assert answer[1][b"allow"] == b"POST"


def test_a_redirect_to_a_host_that_the_sender_named_is_not_given():
    behind = Behind(307, b"", [(b"location", b"http://elsewhere.example/predict")])
    answer = ask(behind, path="/predict/")
    assert refusal(answer)[0] == 404
    assert b"location" not in answer[1]


def test_other_pages_are_not_judged_by_the_contract():
    behind = Behind(answer=b"page")
    assert ask(behind, b"anything", method="POST", path="/elsewhere") == (200, {}, b"page")
    assert behind.bodies == [b"anything"]


def test_what_is_not_http_passes():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(guard.Guard(app, DIGITS)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
