"""Requests that no document describes, made by Hypothesis and sent as bytes."""

import json
import re
import socket
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.hostile.leaks import leak

_PATHS = ("/jobs", "/jobs/x", "/jobs/x/events", "/jobs/x/cancel", "/jobs/x/publish", "/uploads", "/files/results/x",
          "/clips/x", "/clips/x.json", "/clips/x/clip.png", "/seeds", "/seeds/band.png", "/models", "/healthz",
          "/readyz", "/metrics", "/openapi.json", "/", "/about", "/assets/x/style.css")  # fmt: skip
_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_TOKEN = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True)
_NAMES = st.sampled_from(
    ["Content-Type", "Accept", "If-None-Match", "Prefer", "Range", "Idempotency-Key", "Authorization", "X-Request-Id",
     "X-Forwarded-For", "Forwarded", "Expect", "Origin", "Cookie", "Transfer-Encoding", "Last-Event-ID", "Upgrade",
     "Riffusion-End-User", "Accept-Encoding", "Access-Control-Request-Method"]
)  # fmt: skip
_VALUES = st.one_of(
    _TEXT, st.sampled_from(["application/json", "multipart/form-data; boundary=b", "wait=1", "W/\"1-0\"", "bytes=9-1",
                            "bytes=-0", "Bearer x", "*", "chunked", "100-continue", "identity", "h2c"])
)  # fmt: skip
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
)
_BODIES = st.one_of(
    st.binary(max_size=300),
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.tuples(_TEXT, st.binary(max_size=200)).map(
        lambda part: b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + part[0].encode() + b'"\r\n\r\n'
        + part[1] + b"\r\n--b--\r\n"
    ),
)  # fmt: skip


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from(["GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE"]) | _TOKEN)
    path = draw(st.sampled_from(_PATHS)) + draw(st.just("") | _TEXT.map(lambda text: "/" + text))
    query = draw(
        st.just("") | _TEXT.map(lambda text: "?" + text) | st.sampled_from(["?limit=-1", "?status=x&status=y"])
    )
    headers = draw(st.lists(st.tuples(_NAMES | _TOKEN, _VALUES), max_size=5))
    body = draw(_BODIES)
    lines = [f"{method} {path}{query} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send_wild_requests(url: str, count: int) -> list[str]:
    """Sends that many; what was wrong with the answers."""
    faults: list[str] = []
    place = urlsplit(url)

    @seed(5)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(_requests() | st.binary(min_size=1, max_size=200))
    def send(sent: bytes) -> None:
        if fault := fault_of(_answer(str(place.hostname), place.port or 80, sent), sent):
            faults.append(f"{fault}: {sent!r}")

    send()
    return faults


def _answer(host: str, port: int, sent: bytes) -> bytes:
    with socket.create_connection((host, port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while len(received) < 1 << 20 and (data := connection.recv(1 << 16)):
                received += data
        except ConnectionResetError:
            pass  # what was not read of a refused request
    return received


def fault_of(answer: bytes, sent: bytes) -> str | None:
    """Anything may be refused, or hung up on when it isn't HTTP; but never by a fault of the server."""
    if not answer:
        return None
    found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
    if found is None:
        return f"no HTTP, {answer[:40]!r}"
    status = int(found[1])
    if status >= 500 and status not in (501, 503, 505):
        return f"status {status}"
    head, _, body = answer.partition(b"\r\n\r\n")
    told = leak(body.decode(errors="replace"), sent.decode(errors="replace"))
    if told and b"text/html" not in head and b"text/css" not in head:
        return f"told {told!r}"
    if (
        status >= 400
        and b"X-Request-Id" in head
        and body
        and b"application/problem+json" not in head
        and b"text/html" not in head
    ):
        return f"status {status} without a problem"
    return None
