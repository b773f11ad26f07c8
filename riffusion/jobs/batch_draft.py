"""A batch that is coming in, in pieces, so that none of it is whole in a process's memory.

In Redis it is a draft, which the next feeding removes once nothing has come in for five minutes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from riffusion.errors import IdempotencyConflict, ModelDraining, RiffusionError, StoreUnavailable, UnknownReference
from riffusion.jobs.acceptance import Submission, job_entry
from riffusion.jobs.database import Database
from riffusion.jobs.inputs import Inputs, resolve
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant, refusal


@dataclass(frozen=True)
class BatchLine:
    """One request of a batch, checked, with the files behind its references."""

    own_id: str
    """Empty where its client gave it none."""
    submission: Submission
    inputs: Inputs


class Draft:
    """A batch that is coming in. Requests are added in order; `commit` accepts them all, `drop` forgets them."""

    def __init__(self, store: JobStore, tenant: Tenant, *, idem: str | None, batch_id: str, known: str = "") -> None:
        """
        Args:
            idem: the idempotency key as Redis has it.
            known: the digest of the batch that the key stands for already; empty where it is new.
        """
        self._database = Database(store.redis, store.settings)
        self._models = store.models
        self._settings = store.settings.model_copy(update={"degrade_queued": None})  # a batch waits instead
        self._tenant = tenant
        self._idem = idem
        self._id = batch_id
        self._known = known
        self._model: str | None = None
        self._total = 0

    @property
    def known(self) -> bool:
        """Whether its idempotency key stands for a batch already: nothing may be added, `commit` compares."""
        return bool(self._known)

    def resolve(self, submission: Submission) -> Inputs:
        """The files behind a request's references.

        Raises:
            UnknownReference: see `JobStore.accept`.
        """
        return resolve(self._database, submission.request, self._tenant.identity, submission.prefix)

    def entry(self, line: BatchLine) -> dict[str, Any]:
        """A line as it is stored.

        Raises:
            InvalidRequest: it doesn't go with what its quality stands for.
        """
        card = self._models.card(line.submission.request.model or self._settings.model)
        return job_entry(line.submission, card, line.inputs, self._settings) | {"own_id": line.own_id}

    def add(self, lines: Sequence[BatchLine], entries: Sequence[Mapping[str, Any]]) -> None:
        """Adds lines, with what `entry` made of them.

        Raises:
            UnknownReference: a model, upload or job isn't there.
            TooManyRequests: the tenant keeps as many jobs or bytes of requests as it may.
            Blocked: the operator has blocked the tenant.
        """
        self._model = str(entries[0]["model"])
        more = {"quota": asdict(self._tenant.quota), "lines": entries}
        match self._database.run("append_batch", self._id, json.dumps(more), resend=False):
            case [b"added"]:
                self._total += len(lines)
            case [b"no model", index]:
                item = lines[index].submission
                message = f"There is no model {item.request.model}; GET /models lists those there are."
                raise UnknownReference(message, f"{item.prefix}model")
            case [b"no input", index, number]:
                pin, name = list(lines[index].inputs.pins.items())[number]
                raise UnknownReference(f"There is no {pin.replace(':', ' ')} any more.", name)
            case reply:
                raise batch_refusal(reply, self._tenant)

    def commit(self, body: str) -> tuple[str, bool]:
        """Accepts the batch; once it returns, each of its requests will reach one terminal state.

        Args:
            body: a digest of all lines as they were sent.

        Returns:
            The batch's id, and whether the idempotency key stood for it already.

        Raises:
            IdempotencyConflict: the key came with another body before.
            UnknownReference: the model was retired meanwhile.
            ModelDraining: the model takes no new jobs now.
            TooManyRequests, StorageFull, Blocked: see `JobStore.accept`.
        """
        if self._known:
            return self._same(self._known, self._id, body)
        wanted = {
            "body": body, "model": self._model, "total": self._total, "quota": asdict(self._tenant.quota),
            **({"idem": self._idem} if self._idem else {}),
        }  # fmt: skip
        match self._database.run("commit_batch", self._id, json.dumps(wanted)):
            case [b"accepted"]:
                return self._id, False
            case [b"known", known, batch_id]:
                self.drop()
                return self._same(known.decode(), batch_id.decode(), body)
            case [b"no model"]:
                raise UnknownReference(f"There is no model {self._model} any more; GET /models lists others.")
            case [b"draining", model]:
                raise ModelDraining(f"Model {model.decode()} takes no new jobs now; GET /models lists others.")
            case reply:
                raise batch_refusal(reply, self._tenant)

    def drop(self) -> None:
        """Forgets the draft; one that was accepted stays."""
        if not self._known:
            self._database.run("drop_draft", self._id)

    def _same(self, known: str, batch_id: str, body: str) -> tuple[str, bool]:
        if known != body:
            raise IdempotencyConflict("This Idempotency-Key came with another body before; use a new one.")
        return batch_id, True


def batch_refusal(reply: Any, tenant: Tenant) -> RiffusionError:
    """The error for a script's reply that refuses a batch or a part of it."""
    return refusal(reply, tenant.quota) or StoreUnavailable("The batch took too long to come in; send it again.")
