"""A server with scripted responses, which records the requests that it receives."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

Reply = tuple[int, dict[str, str], str]  # status, headers, body
HANG_UP: Reply = (0, {}, "")  # closes the connection without a response
JOB_ID = "a" * 22


def job_json(status: str = "queued", **more: Any) -> str:
    """A job as a server sends it."""
    here = f"http://server.example/jobs/{JOB_ID}"
    data: dict[str, Any] = {
        "id": JOB_ID, "status": status, "mode": "text-to-audio", "model": "tiny", "created_at": "2026-11-29T04:00:00Z",
        "started_at": None, "completed_at": None, "queue": None, "progress": None, "preview": None,
        "request": {"mode": "text-to-audio", "prompt": "bells", "seed": 1}, "degraded": False, "attempts": 0,
        "result": None, "error": None, "warnings": [], "webhook": None,
        "links": {"self": here, "cancel": f"{here}/cancel", "events": f"{here}/events"},
    }  # fmt: skip
    return json.dumps({**data, **more})


@dataclass
class Asked:
    """One received request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Script:
    """The replies to send, in order; the last one is repeated."""

    url: str
    replies: list[Reply | Callable[[Asked], Reply]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def next(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(asked) if callable(reply) else reply


@pytest.fixture
def script() -> Iterator[Script]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, text = written.next(Asked(self.command, self.path, dict(self.headers), body))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text.encode())), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    written = Script(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield written
    server.shutdown()
    server.server_close()
    thread.join()
