"""Receivers that never respond, and what another key's webhooks notice of them: nothing. Real sockets."""

import socket
import threading
from collections.abc import Iterator

import pytest
from redis import Redis

from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.jobs.webhooks import public_address, resolver
from riffusion.jobs.webhooks.dispatcher import PAUSES_S, Dispatcher
from riffusion.settings import Settings
from tests.conftest import free_port, wait_until
from tests.jobs.webhooks.conftest import Receiver, Tarpit, deliver, elapse, ended, serving

SOON_S = 5.0  # a second until the dispatcher's next round, and some for a busy machine; a try at a tarpit takes 15


@pytest.fixture
def attackers(redis: Redis, settings: Settings) -> list[str]:
    """The ids of other keys."""
    return [KeyStore(redis, settings).create(f"key{number}", UNLIMITED)[1].id for number in range(12)]


def states(store: JobStore, jobs: list[JobRecord]) -> list[WebhookState]:
    webhooks = [store.get(job.id).webhook for job in jobs]
    return [each.state for each in webhooks if each is not None]


def arrives(store: JobStore, receiver: Receiver, key: Key) -> None:
    """Ends a job of a key and waits for its webhook."""
    before = len(receiver.seen)
    ended(store, key.id, receiver.url)
    wait_until(lambda: len(receiver.seen) > before, SOON_S, "another key's tries hold it up")


@pytest.mark.parametrize("count", [32, 200])
def test_many_to_one_that_never_responds(
    *,
    store: JobStore,
    dispatcher: Dispatcher,
    tarpit: Tarpit,
    receiver: Receiver,
    attackers: list[str],
    key: Key,
    count: int,
) -> None:
    ended(store, attackers[0], *[tarpit.url(path=str(number)) for number in range(count)])
    dispatcher.start()
    wait_until(lambda: tarpit.connections)
    for _ in range(3):
        arrives(store, receiver, key)


def test_many_hosts_that_never_respond(
    *,
    store: JobStore,
    dispatcher: Dispatcher,
    tarpit: Tarpit,
    receiver: Receiver,
    attackers: list[str],
    key: Key,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public_address, "resolve", lambda _host, _port: ["127.0.0.1"])  # wildcard DNS
    ended(store, attackers[0], *[tarpit.url(f"a{number}.evil.example") for number in range(200)])
    dispatcher.start()
    wait_until(lambda: len(tarpit.connections) >= 4)
    for _ in range(3):
        arrives(store, receiver, key)


def test_many_keys_at_one_that_never_responds(
    *, store: JobStore, dispatcher: Dispatcher, tarpit: Tarpit, receiver: Receiver, attackers: list[str], key: Key
) -> None:
    for attacker in attackers:
        ended(store, attacker, *[tarpit.url()] * 10)
    receiver_url = receiver.url.replace("127.0.0.1", "localhost")
    dispatcher.start()
    wait_until(lambda: len(tarpit.connections) >= 8)
    ended(store, key.id, receiver_url)  # by another name: eight tries at one host are in progress
    wait_until(lambda: receiver.seen, SOON_S, "other keys' tries hold it up")


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names under silent.example, whose name servers never respond: those that were asked for."""
    asked: list[str] = []
    over = threading.Event()
    resolve = public_address.resolve

    def hang(host: str, port: int) -> list[str]:
        if host.endswith(".silent.example"):
            asked.append(host)
            over.wait()
            raise socket.gaierror("no name server responds")
        return resolve(host, port)

    monkeypatch.setattr(public_address, "resolve", hang)
    yield asked
    over.set()


def test_many_names_that_never_resolve(
    *, store: JobStore, dispatcher: Dispatcher, silent: list[str], receiver: Receiver, attackers: list[str], key: Key
) -> None:
    ended(store, attackers[0], *[f"http://a{number}.silent.example/" for number in range(100)])
    dispatcher.start()
    wait_until(lambda: silent)
    for _ in range(3):
        arrives(store, receiver, key)
    assert len(silent) <= resolver.PER_OWNER


def test_a_host_that_was_down_for_an_hour_gets_every_webhook(store: JobStore, dispatcher: Dispatcher, key: Key) -> None:
    port = free_port()
    jobs = ended(store, key.id, *[f"http://127.0.0.1:{port}/{number}" for number in range(40)])
    for _ in range(60):
        deliver(dispatcher)
        elapse(store.redis, 61)
    assert set(states(store, jobs)) == {WebhookState.PENDING}
    with serving(port) as receiver:
        deliver(dispatcher)
        assert (
            states(store, jobs).count(WebhookState.DELIVERED) > 20
        )  # others were probes, and have their next try later
        elapse(store.redis, max(PAUSES_S) * 1.1)
        deliver(dispatcher)
        assert set(states(store, jobs)) == {WebhookState.DELIVERED}
        assert receiver.connections == len(jobs)


def test_the_breaker_takes_no_try_from_a_lone_webhook(store: JobStore, dispatcher: Dispatcher, key: Key) -> None:
    [job] = ended(store, key.id, f"http://127.0.0.1:{free_port()}/")
    assert deliver(dispatcher) == 1
    for pause in PAUSES_S:
        assert states(store, [job]) == [WebhookState.PENDING]
        elapse(store.redis, pause * 1.1 + 1)
        assert deliver(dispatcher) == 1
    assert states(store, [job]) == [WebhookState.FAILED]
