"""A receiver of webhooks that does as a test says, over TLS or not, one that never responds, and dispatchers."""

import datetime
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis import Redis

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, key_tenant
from riffusion.jobs.webhooks.dispatcher import Dispatcher
from riffusion.settings import Settings
from tests.jobs.conftest import by, prompt

NAME = "hooks.example"


@dataclass
class Receiver:
    """Sends each connection with the next of `responses`, the last one again and again."""

    port: int
    responses: list[bytes | Callable[[socket.socket], None]] = field(default_factory=lambda: [http_response(200)])
    seen: list[bytes] = field(default_factory=list)  # requests, head and body
    names: list[str | None] = field(default_factory=list)  # that TLS was asked for
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def headers(self, index: int = -1) -> dict[str, str]:
        lines = self.seen[index].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    def body(self, index: int = -1) -> bytes:
        return self.seen[index].partition(b"\r\n\r\n")[2]


def http_response(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Word", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def _serve(listener: socket.socket, receiver: Receiver, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        receiver.connections += 1
        connection.settimeout(30)
        try:
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            receiver.seen.append(_read(connection))
            said = receiver.responses.pop(0) if len(receiver.responses) > 1 else receiver.responses[0]
            if callable(said):
                said(connection)
            else:
                connection.sendall(said)
        except OSError:
            pass
        finally:
            connection.close()


@contextmanager
def serving(port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a port of its own, or on this one."""
    listener = socket.create_server(("127.0.0.1", port))
    receiver = Receiver(listener.getsockname()[1])
    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
    thread = threading.Thread(target=_serve, args=(listener, receiver, tls), daemon=True)
    thread.start()
    yield receiver
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(30)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as made:
        yield made


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of NAME, which only tests trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_receiver(certificate: Path) -> Iterator[Receiver]:
    """The same over TLS, as NAME."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(tls=context) as made:
        yield made


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webhooks_anywhere": True})


@pytest.fixture
def key(redis: Redis, settings: Settings) -> Key:
    return KeyStore(redis, settings).create("site", UNLIMITED)[1]


def present(record: JobRecord) -> str:
    """What a webhook says of a job."""
    return json.dumps({"id": record.id, "status": record.status})


@pytest.fixture
def dispatchers(store: JobStore) -> Iterator[Callable[[], Dispatcher]]:
    made: list[Dispatcher] = []

    def make() -> Dispatcher:
        made.append(Dispatcher(store, present))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.stop()


@pytest.fixture
def dispatcher(dispatchers: Callable[[], Dispatcher]) -> Dispatcher:
    return dispatchers()


def ended(store: JobStore, key_id: str, *urls: str) -> list[JobRecord]:
    """Jobs of a key that have ended, one for each webhook address."""
    submissions = [Submission(prompt(webhook=url), by(key_tenant(key_id))) for url in urls]
    return [store.cancel(record.id) for record in store.accept(submissions).records] if urls else []


def deliver(dispatcher: Dispatcher) -> int:
    """Tries until nothing is due; how many tries those were."""
    count = 0
    while begun := dispatcher.deliver():
        wait(begun)
        count += len(begun)
    return count


def hurry(redis: Redis, job: JobRecord) -> None:
    """Lets the next try be due, and one that is on its way be taken for lost."""
    redis.zadd("webhooks", {job.id: 1})
    redis.delete("webhooks:trying")


def elapse(redis: Redis, seconds: float) -> None:
    """Lets time pass for all webhooks."""
    for name in redis.scan_iter("webhooks*"):
        if redis.type(name) == b"zset":
            for member, _ in redis.zscan_iter(name):
                redis.zincrby(name, -seconds, member)
        elif redis.hexists(name, "retry_at"):
            redis.hincrbyfloat(name, "retry_at", -seconds)


@dataclass
class Tarpit:
    """A server that takes in connections and requests, and never responds."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)
    closed: bool = False

    def url(self, host: str = "127.0.0.1", path: str = "") -> str:
        return f"http://{host}:{self.port}/{path}"

    def close(self) -> None:
        """Ends the tries that hang in it, and those to come at once."""
        self.closed = True
        for connection in self.connections:
            connection.close()


@pytest.fixture
def tarpit(dispatchers: Callable[[], Dispatcher]) -> Iterator[Tarpit]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    made = Tarpit(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if made.closed:
                connection.close()
            else:
                made.connections.append(connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield made
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(30)
    made.close()
