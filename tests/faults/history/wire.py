"""One client's requests, each recorded with when it began and ended and what it came to."""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx

from tests.faults.history.account import Account
from tests.faults.history.record import NOT_SENT, TERMINAL, Kind, Operation, Recorder, Seen

TIMEOUT_S = 10.0
UPLOAD_S = 30.0  # it is looked at, and stored
_RESULT = re.compile(r"results/[^?]+")
_REVISION = re.compile(r'W/"(\d+)')


def sight(job: Mapping[str, Any], revision: int | None = None, at: float | None = None) -> Seen:
    """A job's JSON as a history has it."""
    result = _RESULT.search(job["result"]["audio"]["url"]) if job["result"] else None
    return Seen(
        id=job["id"], status=job["status"], revision=revision, label=job["request"].get("negative_prompt"),
        result=result[0] if result else None, at=at,
    )  # fmt: skip


@dataclass
class Reply:
    """A response, or nothing where the connection broke; and when."""

    call: float
    end: float
    response: httpx.Response | None
    sent: bool = True

    @property
    def ok(self) -> bool:
        return self.response is not None and self.response.is_success

    @property
    def json(self) -> Any:
        return self.response.json() if self.response is not None and self.response.content else None

    def fields(self) -> dict[str, Any]:
        """What an operation says of every response."""
        response = self.response
        problem = response is not None and response.headers.get("Content-Type") == "application/problem+json"
        return {
            "call": self.call, "end": self.end, "status": response.status_code if response is not None else None,
            "code": self.json.get("code") if problem else None if self.sent else NOT_SENT,
        }  # fmt: skip


@dataclass
class Wire:
    """Sends one client's requests and records them."""

    client: str
    account: Account
    url: str
    history: Recorder
    began: float  # the history's zero on the monotonic clock
    _tags: dict[str, tuple[str, Seen]] = field(default_factory=dict)  # of each job as this client polled it last
    _links: dict[str, str] = field(default_factory=dict)  # to its sound, from the same responses

    def __post_init__(self) -> None:
        transport = httpx.HTTPTransport(local_address=self.account.address)
        self._http = httpx.Client(
            base_url=self.url, headers=dict(self.account.headers), transport=transport, timeout=TIMEOUT_S
        )
        self._files = httpx.Client(timeout=TIMEOUT_S)  # links are signed: a key must not go with them

    def close(self) -> None:
        self._http.close()
        self._files.close()

    def now(self) -> float:
        return time.monotonic() - self.began

    def record(self, kind: Kind, **fields: Any) -> Operation:
        """Writes down an operation of this client."""
        operation = Operation(client=self.client, account=self.account.name, kind=kind, **fields)
        self.history.add(operation)
        return operation

    def send(self, method: str, path: str, **options: Any) -> Reply:
        """One request, whatever becomes of it."""
        call = self.now()
        try:
            response: httpx.Response | None = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            return Reply(call, self.now(), None, sent)
        return Reply(call, self.now(), response)

    def create(self, body: Any, key: str, **fields: Any) -> Operation:
        """POST /jobs, once."""
        reply = self.send("POST", "/jobs", json=body, headers={"Idempotency-Key": key})
        jobs = reply.json.get("jobs", [reply.json]) if reply.ok else []
        requests = body if isinstance(body, list) else [body]
        labels = tuple(request["negative_prompt"] for request in requests)
        seen = tuple(map(sight, jobs))
        operation = self.record("create", **reply.fields(), seen=seen, key=key, labels=labels, **fields)
        for job in jobs:
            self.account.learn(job)
        return operation

    def poll(self, job_id: str, wait_s: int = 0) -> Operation:
        """GET /jobs/<id>, with the tag of what this client saw last; with `wait_s` it is held until there is news."""
        tag, before = self._tags.get(job_id, ("", None))
        headers = {"If-None-Match": tag} if tag else {}
        headers |= {"Prefer": f"wait={wait_s}"} if wait_s else {}
        reply = self.send("GET", f"/jobs/{job_id}", headers=headers, timeout=TIMEOUT_S + wait_s)
        seen: tuple[Seen, ...] = ()
        if reply.ok and reply.response is not None:
            tag = reply.response.headers["ETag"]
            found = _REVISION.match(tag)
            seen = (sight(reply.json, int(found[1]) if found else None),)
            self._tags[job_id] = tag, seen[0]
            if reply.json["result"]:
                self._links[job_id] = reply.json["result"]["audio"]["url"]
        elif before is not None and reply.response is not None and reply.response.status_code == 304:
            seen = (before,)
        operation = self.record("poll", **reply.fields(), job=job_id, seen=seen)
        if reply.ok:
            self.account.learn(reply.json)
        return operation

    def follow(self, job_id: str, seconds: float) -> Operation:
        """GET /jobs/<id>/events for so long at most."""
        call, seen, status, code = self.now(), [], None, None
        try:
            with self._http.stream("GET", f"/jobs/{job_id}/events", timeout=seconds) as response:
                status = response.status_code
                if status >= HTTPStatus.BAD_REQUEST:
                    code = json.loads(response.read()).get("code")
                for revision, job in _events(response):
                    seen.append(sight(job, revision, at=self.now()))
                    if job["status"] in TERMINAL or self.now() > call + seconds:
                        break
        except httpx.TransportError:
            pass  # what came until then was seen
        return self.record("follow", call=call, end=self.now(), status=status, code=code, job=job_id, seen=tuple(seen))

    def listing(self) -> Operation:
        """GET /jobs, all pages; as one operation, whose outcome is that of its last page."""
        seen: list[Seen] = []
        cursor: dict[str, str] = {}
        call = self.now()
        while True:
            reply = self.send("GET", "/jobs", params={"limit": "100", **cursor})
            if reply.ok:
                seen += map(sight, reply.json["jobs"])
                cursor = {"cursor": reply.json["next_cursor"]}
            if not reply.ok or not cursor["cursor"]:
                return self.record("list", **{**reply.fields(), "call": call}, seen=tuple(seen))

    def cancel(self, job_id: str) -> Operation:
        """POST /jobs/<id>/cancel."""
        reply = self.send("POST", f"/jobs/{job_id}/cancel")
        seen = (sight(reply.json),) if reply.ok else ()
        return self.record("cancel", **reply.fields(), job=job_id, seen=seen)

    def delete(self, job_id: str) -> Operation:
        """DELETE /jobs/<id>."""
        self.account.forget(job_id)
        return self.record("delete", **self.send("DELETE", f"/jobs/{job_id}").fields(), job=job_id)

    def upload(self, data: bytes) -> str | None:
        """POST /uploads; its id, where it was stored."""
        reply = self.send("POST", "/uploads", files={"file": ("picture.png", data)}, timeout=UPLOAD_S)
        self.record("upload", **reply.fields())
        return str(reply.json["id"]) if reply.ok else None

    def fetch(self, job_id: str) -> None:
        """A job's sound, by the link that this client was given last, if any; one of a wrong clock may be refused."""
        url, call = self._links.get(job_id), self.now()
        if url is None:
            return
        try:
            response: httpx.Response | None = self._files.get(url)
        except httpx.TransportError:
            response = None
        reply, found = Reply(call, self.now(), response), _RESULT.search(url)
        fields = {**reply.fields(), "code": None, "job": job_id, "result": found[0] if found else None}
        digest = hashlib.sha256(response.content).hexdigest() if response is not None and reply.ok else None
        self.record("fetch", **fields, digest=digest)


def _events(response: httpx.Response) -> Iterator[tuple[int, dict[str, Any]]]:
    """Revision and job of each event, of the form that the server sends."""
    revision = 0
    for line in response.iter_lines() if response.is_success else ():
        name, _, value = line.partition(": ")
        if name == "id":
            revision = int(value)
        elif name == "data":
            yield revision, json.loads(value)
