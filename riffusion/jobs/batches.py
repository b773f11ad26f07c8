"""Batches in Redis: thousands of requests that are accepted at once and become jobs as the queue has places.

A batch's requests are kept in a list of its own, so that it doesn't fill the queue; `feed`, which every process calls
about twice a second, moves the next ones. From then on they are jobs like any others. A batch comes in as a draft, in
pieces, so that none of it is whole in a process's memory.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NoReturn

from riffusion import tracing
from riffusion.errors import Gone, NotFound, TooManyRequests
from riffusion.jobs.acceptance import decode_place, digest
from riffusion.jobs.batch_draft import Draft, batch_refusal
from riffusion.jobs.batch_record import BatchItem, BatchRecord
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import KEEPING_RETRY_S, LISTS_PER_MINUTE, Tenant, list_refusal, may_see

MAX_BATCHES = 100  # of one owner, those that have ended and are still kept included
PAGE = 100  # results read at once


class BatchStore:
    """The batches in one Redis. Thread-safe.

    Every method raises StoreUnavailable when Redis doesn't respond in time or refuses to write.
    """

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._database = Database(store.redis, store.settings)

    def begin(self, tenant: Tenant, key: str | None) -> Draft:
        """Begins a batch, which counts as one create.

        Args:
            tenant: must have an owner.
            key: an idempotency key. One that stands for a batch already makes a draft that only compares.

        Raises:
            TooManyRequests: the tenant has as many batches as are kept, or creates too often.
            Blocked: the operator has blocked the tenant.
        """
        idem = digest([tenant.identity, "batch", key]) if key else None
        new = {
            "tail": secrets.token_hex(16), "client": tenant.name, "owner": tenant.identity,
            "quota": asdict(tenant.quota), "trace": tracing.carrier(), "most": MAX_BATCHES,
            **({"idem": idem} if idem else {}),
        }  # fmt: skip
        match self._database.run("begin_batch", json.dumps(new), resend=False):
            case [b"begun", batch_id]:
                return Draft(self._store, tenant, idem=idem, batch_id=batch_id.decode())
            case [b"known", body, batch_id]:
                return Draft(self._store, tenant, idem=idem, batch_id=batch_id.decode(), known=body.decode())
            case [b"too many batches"]:
                message = f"{MAX_BATCHES} batches of yours are kept at most; delete some, or wait until they expire."
                raise TooManyRequests(message, KEEPING_RETRY_S)
            case reply:
                raise batch_refusal(reply, tenant)

    def get(self, batch_id: str, identity: str | None = None) -> BatchRecord:
        """The batch now.

        Args:
            identity: of the tenant that asks for it; without one, access isn't checked.

        Raises:
            NotFound: there is no such batch, or `identity` may not see it.
            Gone: there was.
        """
        data, queued, running = self._database.run("read_batch", batch_id)
        return BatchRecord.decode(self._visible(batch_id, pairs(data), identity), queued, running)

    def list(self, tenant: Tenant) -> list[BatchRecord]:
        """All batches of a tenant's owner, newest first.

        Raises:
            TooManyRequests: the tenant asks for lists too often.
        """
        reply = self._database.run("list_batches", tenant.identity, tenant.name, LISTS_PER_MINUTE, resend=False)
        if error := list_refusal(reply):
            raise error
        found = [(pairs(data), queued, running) for data, queued, running in reply]
        return [BatchRecord.decode(*each) for each in found if each[0].get(b"status") == b"accepted"]

    def cancel(self, batch_id: str, identity: str | None = None) -> BatchRecord:
        """Ends all requests of a batch that haven't ended, at once. See `get`."""
        self.get(batch_id, identity)
        self._database.run("cancel_batch", batch_id)
        return self.get(batch_id, identity)

    def delete(self, batch_id: str, identity: str | None = None) -> None:
        """Cancels a batch and deletes it; its jobs and their files are deleted some at a time. See `get`."""
        self.get(batch_id, identity)
        self._database.run("delete_batch", batch_id)

    def charge_results(self, tenant: Tenant, total: int) -> None:
        """Counts the reading of `total` results as the lists that would take as long.

        Raises:
            TooManyRequests: the tenant reads too much.
        """
        lists = min(-(-total // PAGE), LISTS_PER_MINUTE)
        if error := list_refusal(
            self._database.run("charge_results", tenant.name, lists, LISTS_PER_MINUTE, resend=False)
        ):
            raise error

    def results(self, batch_id: str, identity: str | None = None) -> Iterator[BatchItem]:
        """The batch's requests in their order, each as it is when it is reached. See `get`."""
        index = 0
        while True:
            data, *found = self._database.run("read_results", batch_id, index, PAGE)
            record = BatchRecord.decode(self._visible(batch_id, pairs(data), identity))
            for each in found:
                yield _item(index, record, each)
                index += 1
            if not found:
                return

    def feed(self) -> dict[str, int]:
        """Makes jobs of waiting requests as there are places; calls may be concurrent.

        Returns:
            Model -> wake-ups to publish.
        """
        return {model.decode(): count for model, count in pairs(self._database.run("feed_batches")).items() if count}

    def _visible(self, batch_id: str, data: Mapping[bytes, bytes], identity: str | None) -> Mapping[bytes, bytes]:
        if not data or b"deleted" in data:
            self._raise_missing(batch_id, identity)
        if data[b"status"] == b"draft" or (identity is not None and not may_see(identity, data[b"client"].decode())):
            raise NotFound(f"There is no batch {batch_id}.")
        return data

    def _raise_missing(self, batch_id: str, identity: str | None) -> NoReturn:
        maker = self._database.text(f"gone:{batch_id}")
        if maker is not None and (identity is None or may_see(identity, maker)):
            raise Gone(f"Batch {batch_id} has expired or was deleted.")
        raise NotFound(f"There is no batch {batch_id}.")


def _item(index: int, batch: BatchRecord, found: Sequence[Any]) -> BatchItem:
    own_id, status, job_id, data, place = found
    return BatchItem(
        index,
        own_id.decode() or None,
        JobStatus(status.decode()) if status else None,
        job_id.decode() or None,
        JobRecord.decode(pairs(data)) if data else None,
        decode_place(place),
        None if job_id else batch.rest_error,
    )
