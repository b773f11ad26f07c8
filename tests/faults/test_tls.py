"""Redis through TLS, for API, worker and broker; the server in the tests' wheel speaks none, so a proxy does."""

import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings
from tests.conftest import S3Server, ValkeyServer
from tests.faults.promise import wait_kept
from tests.faults.proxy import Proxy
from tests.faults.stack import running

ENCODING = serialization.Encoding.PEM


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of 127.0.0.1, and its key."""

    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Certificate":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Redis of a test")])
        now = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        made = cls(folder / "redis.crt", folder / "redis.key")
        made.chain.write_bytes(signed.public_bytes(ENCODING))
        made.key.write_bytes(
            key.private_bytes(ENCODING, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return made


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate.make(tmp_path)


@pytest.fixture
def address(valkey: ValkeyServer, certificate: Certificate) -> Iterator[str]:
    """Of Redis, through TLS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.chain, certificate.key)
    proxy = Proxy(valkey.port, tls)
    yield f"rediss://127.0.0.1:{proxy.port}/0"
    proxy.close()


def test_jobs_run_through_tls(address: str, certificate: Certificate, tmp_path: Path, s3_server: S3Server) -> None:
    url = f"{address}?ssl_ca_certs={certificate.chain}"
    with running(tmp_path / "stack", s3_server, redis_url=url) as stack:
        worker = stack.start_worker()
        ids = [stack.submit("0") for _ in range(4)]
        stack.wait_ended(*ids)
        wait_kept(stack)
        assert "insecure" not in worker.log.read_text()  # as kombu would be that were left to read the URL


def test_a_certificate_of_an_unknown_authority_is_refused(address: str) -> None:
    settings = Settings(redis_url=address)
    with pytest.raises(StoreUnavailable):
        JobStore.connect(settings).check()
    assert not WakeUps(settings).publish("tiny")


def test_a_certificate_of_another_host_is_refused(address: str, certificate: Certificate) -> None:
    url = f"{address.replace('127.0.0.1', 'localhost')}?ssl_ca_certs={certificate.chain}"
    with pytest.raises(StoreUnavailable):
        JobStore.connect(Settings(redis_url=url)).check()
