"""API keys: made and revoked by the operator; the server stores their hashes only."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass, field, fields

from redis import Redis

from riffusion.errors import NotFound, Unauthorized
from riffusion.jobs.database import Database
from riffusion.jobs.tenants import Quota
from riffusion.settings import Settings

PREFIX = "riff"  # by which scanners of source code and logs recognise a key
_KEYS = "keys"  # hash: id -> JSON
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Key:
    """One key, as the store has it."""

    id: str
    name: str
    """For people."""
    digest: str
    """SHA-256 of the whole key, hex. The key has 256 random bits, so a slow hash would protect nothing."""
    created_at: float
    """Unix seconds."""
    quota: Quota
    weight: float
    """Share of the queue relative to other tenants; > 0."""
    for_end_users: bool
    """Whether its owner may name the person a request is made for; quota and weight are then each person's."""
    webhook_secret: str = field(repr=False)
    """`whsec_` and base64, as in Standard Webhooks."""

    def encode(self) -> str:
        """Its form in Redis."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str | bytes) -> "Key":
        """The key from its form in Redis."""
        data = json.loads(text)
        known = {each.name for each in fields(Quota)}  # a newer version may have stored further limits
        return cls(**data | {"quota": Quota(**{name: data["quota"][name] for name in known & data["quota"].keys()})})


class KeyStore:
    """The keys in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def create(self, name: str, quota: Quota, *, weight: float = 1.0, for_end_users: bool = False) -> tuple[str, Key]:
        """A new key in full, which can't be read again, and its record."""
        key_id = secrets.token_hex(6)
        text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        webhook_secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
        key = Key(key_id, name, _digest(text), time.time(), quota, weight, for_end_users, webhook_secret)
        self._database.write("HSET", _KEYS, key_id, key.encode())
        return text, key

    def check(self, text: str) -> Key:
        """The record of the key that a request bears.

        Raises:
            Unauthorized: it is unknown or was revoked.
        """
        prefix, _, rest = text.partition("_")
        key = self.get(rest.partition("_")[0]) if prefix == PREFIX else None
        if key is None or not hmac.compare_digest(key.digest, _digest(text)):
            raise Unauthorized("This API key is unknown or was revoked.")
        return key

    def get(self, key_id: str) -> Key | None:
        """The key of this id, unless it was revoked."""
        found: bytes | None = self._database.command("HGET", _KEYS, key_id)
        return None if found is None else Key.decode(found)

    def list(self) -> list[Key]:
        """Every key, oldest first."""
        found: list[bytes] = self._database.command("HVALS", _KEYS)
        return sorted((Key.decode(text) for text in found), key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> None:
        """Makes a key invalid at once. Its jobs run on, and can't be read by anyone.

        Raises:
            NotFound: there is no such key.
        """
        if not self._database.run("revoke_key", key_id):
            raise NotFound(f"There is no key {key_id}; `riffusion keys list` shows those there are.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
