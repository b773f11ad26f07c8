"""Clients of several kinds that use all of the API at random, beside each other, and record what they see."""

import io
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from PIL import Image

from tests.faults.history.account import Account, Known
from tests.faults.history.record import Outcome
from tests.faults.history.wire import Wire

LABEL = "history-"  # begins the negative prompt of each request, which the cheap model ignores
KEPT = 30  # jobs of an account, beyond which its clients rather delete
SECONDS = ("0", "0", "0.3", "1", "2", "3")
NEW = 0.2  # of the uploads that riffs name
RECENT = 20  # requests of an account, one of which is sent again
ABANDONED = 0.1  # of the requests with an unknown outcome
PAUSE_S = 0.3  # mean, between two operations of a client
HELD_S = 4
GONE = 0.1  # of the polls: of a job that was deleted
EARLY = 0.5  # of the cancels and deletes: of a job that hasn't ended, where there is one


def _picture() -> bytes:
    data = io.BytesIO()
    Image.new("L", (64, 64), 128).save(data, "PNG")
    return data.getvalue()


PICTURE = _picture()


@dataclass
class Client:
    """One client, which does one operation after another."""

    wire: Wire
    draw: random.Random

    @property
    def account(self) -> Account:
        return self.wire.account

    def run(self, over: Event) -> None:
        """Until it is over."""
        kinds = [kind for kind, weight in self.habits().items() for _ in range(weight)]
        while not over.wait(self.draw.expovariate(1 / PAUSE_S)):
            self.draw.choice(kinds)(over)

    def habits(self) -> dict[Callable[[Event], object], int]:
        """What it does, and how often."""
        return {
            self.submit: 6, self.submit_array: 1, self.submit_nonsense: 1, self.submit_upload: 1, self.submit_again: 2,
            self.submit_copy: 3, self.poll: 8, self.hold: 2, self.follow: 2, self.list: 3, self.cancel: 1,
            self.delete: 2, self.fetch: 3,
        }  # fmt: skip

    # Requests

    def submit(self, over: Event) -> None:
        self._create(self._request(), over)

    def submit_array(self, over: Event) -> None:
        self._create([self._request() for _ in range(self.draw.choice([2, 3]))], over)

    def submit_nonsense(self, over: Event) -> None:
        """Refused, by itself or together with a request that is fine."""
        nonsense = {**self._request(), "steps": 1000}
        self._create(self.draw.choice([nonsense, [self._request(), nonsense]]), over)

    def submit_upload(self, over: Event) -> None:
        """A riff on a picture of its account's: looking at a new one costs the API a process."""
        if self.account.upload is None or self.draw.random() < NEW:
            self.account.upload = self.wire.upload(PICTURE) or self.account.upload
        if self.account.upload:
            self._create({**self._request(), "mode": "riff", "init": {"upload": self.account.upload}}, over)

    def submit_again(self, _: Event) -> None:
        """What was sent before under its key, maybe by another client and only just now."""
        with self.account.lock:
            sent = list(self.account.sent.items())[-RECENT:]
        if sent:
            key, (body, fields) = self.draw.choice(sent)
            self.wire.create(body, key, **fields)

    def submit_copy(self, over: Event) -> None:
        """The request of a job that ran, as the server completed it."""
        if job := self._any(lambda job: job.ran and job.ended == "succeeded"):
            self._create(self._hooked(dict(job.request)), over, copy_of=job.id)

    def _request(self) -> dict[str, Any]:
        label = f"{LABEL}{uuid.uuid4().hex[:12]}"
        return self._hooked({"mode": "text-to-audio", "prompt": self.draw.choice(SECONDS), "negative_prompt": label})

    def _hooked(self, request: dict[str, Any]) -> dict[str, Any]:
        return request | ({"webhook": self.account.webhook} if self.account.webhook else {})

    def _create(self, body: Any, over: Event, **fields: Any) -> None:
        """Sent under one key until its outcome is known; now and then that is left open."""
        key = uuid.uuid4().hex
        fields["webhook"] = self.account.webhook is not None
        with self.account.lock:
            self.account.sent[key] = body, fields
        while True:
            outcome = self.wire.create(body, key, **fields).outcome
            if outcome is not Outcome.UNKNOWN or self.draw.random() < ABANDONED or over.wait(self.draw.random()):
                return

    # Jobs

    def poll(self, _: Event) -> None:
        """Of a job that runs, or of any other; now and then of one that was deleted."""
        with self.account.lock:
            deleted = list(self.account.deleted)
        if deleted and self.draw.random() < GONE:
            self.wire.poll(self.draw.choice(deleted))
        elif job := self._any(lambda job: job.ended is None) or self._any():
            self.wire.poll(job.id)

    def hold(self, _: Event) -> None:
        """A long poll of what this client has seen before."""
        if job := self._any(lambda job: job.ended is None):
            self.wire.poll(job.id)
            self.wire.poll(job.id, HELD_S)

    def follow(self, _: Event) -> None:
        if job := self._any(lambda job: job.ended is None):
            self.wire.follow(job.id, HELD_S)

    def list(self, _: Event) -> None:
        self.wire.listing()

    def cancel(self, _: Event) -> None:
        if job := self._soon():
            self.wire.cancel(job.id)

    def delete(self, _: Event) -> None:
        for _number in range(3 if len(self.account.known()) > KEPT else 1):
            if job := self._soon():
                self.wire.delete(job.id)

    def fetch(self, _: Event) -> None:
        """A clip, by the link of a poll; 304 says that the one of before is still good."""
        if job := self._any(lambda job: job.ended == "succeeded"):
            self.wire.poll(job.id)
            self.wire.fetch(job.id)

    def _soon(self) -> Known | None:
        """A job to be ended: as often as not one that hasn't ended by itself."""
        return (self.draw.random() < EARLY and self._any(lambda job: job.ended is None)) or self._any()

    def _any(self, fits: Callable[[Known], bool] = lambda _: True) -> Known | None:
        fitting = [job for job in self.account.known() if fits(job)]
        return self.draw.choice(fitting) if fitting else None
