"""A receiver of webhooks that checks their signatures, refuses some, and records all."""

import base64
import hmac
import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.faults.history.account import Account
from tests.faults.history.record import Operation, Recorder
from tests.faults.history.wire import sight

REFUSED = 0.05  # of the first deliveries, with 500, so that they are repeated


def is_signed(headers: "dict[str, str]", body: bytes, secret: str) -> bool:
    """As docs/api.md says how to check, but for the time: the clocks of a soak are wrong at times."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return any(hmac.compare_digest(each, f"v1,{expected}") for each in headers["webhook-signature"].split())


@contextmanager
def receiving(account: Account, history: Recorder, began: float, draw: random.Random) -> Iterator[None]:
    """Receives the webhooks of an account, whose jobs name this receiver from now on."""
    refused: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            job, job_id = json.loads(body)["data"], headers["webhook-id"]
            status = HTTPStatus.OK
            if job_id not in refused and draw.random() < REFUSED:
                refused.add(job_id)
                status = HTTPStatus.INTERNAL_SERVER_ERROR
            else:
                account.delivered.add(job_id)
            is_right = is_signed(headers, body, account.webhook_secret or "")
            is_same = json.loads(body)["type"] == f"job.{job['status']}" and job["id"] == job_id
            history.add(
                Operation(
                    client="receiver", account=account.name, kind="webhook", call=0, end=time.monotonic() - began,
                    status=status, job=job_id, seen=(sight(job),), signed=is_right and is_same,
                )
            )  # fmt: skip
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the history is the log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        account.webhook = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
