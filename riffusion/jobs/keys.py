"""API keys: made, changed, rotated and revoked by the operator; the server stores their hashes only."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from redis import Redis

from riffusion.errors import NotFound, Unauthorized
from riffusion.jobs.database import Database
from riffusion.jobs.tenants import Quota
from riffusion.settings import Settings

PREFIX = "riff"  # by which scanners of source code and logs recognise a key
_KEYS = "keys"  # hash: id -> JSON
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Replaced:
    """What a rotation has replaced, and is valid beside its successor for a while."""

    value: str = field(repr=False)
    """The digest of a key, or a webhook secret."""
    until: float
    """Unix seconds."""


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
    operator: bool = False
    """Whether its owner may see and change everyone's jobs, models and keys."""
    expires_at: float | None = None
    """Unix seconds, on Redis's clock; None: never."""
    replaced: Replaced | None = None
    """The digest before the last rotation."""
    replaced_webhook_secret: Replaced | None = None

    def encode(self) -> str:
        """Its form in Redis. What is at its default is left out: the version before can read no field but the first."""
        data = asdict(self)
        defaults = {each.name: each.default for each in fields(self) if each.default in (None, False)}
        return json.dumps({name: value for name, value in data.items() if name not in defaults or value})

    @classmethod
    def decode(cls, text: str | bytes) -> "Key":
        """The key from its form in Redis; what only a newer version has stored is left out."""
        data = _known(cls, json.loads(text))
        data["quota"] = Quota(**_known(Quota, data["quota"]))
        for name in ("replaced", "replaced_webhook_secret"):
            if name in data:
                data[name] = Replaced(**_known(Replaced, data[name]))
        return cls(**data)


class KeyStore:
    """The keys in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def create(
        self,
        name: str,
        quota: Quota,
        *,
        weight: float = 1.0,
        for_end_users: bool = False,
        operator: bool = False,
        expires_in_s: float | None = None,
    ) -> tuple[str, Key]:
        """A new key in full, which can't be read again, and its record."""
        key_id = secrets.token_hex(6)
        text = _draw(key_id)
        now = self._database.now()
        expires_at = None if expires_in_s is None else now + expires_in_s
        key = Key(
            key_id, name, _digest(text), now, quota, weight, for_end_users, _draw_webhook_secret(), operator,
            expires_at,
        )  # fmt: skip
        self._database.write("HSET", _KEYS, key_id, key.encode())
        return text, key

    def check(self, text: str) -> Key:
        """The record of the key that a request bears.

        Raises:
            Unauthorized: it is unknown, was revoked, replaced by a rotation, or has expired.
        """
        prefix, _, rest = text.partition("_")
        key = self.get(rest.partition("_")[0]) if prefix == PREFIX else None
        digest = _digest(text)
        if key is None or not (hmac.compare_digest(key.digest, digest) or self._was(key.replaced, digest)):
            raise Unauthorized("This API key is unknown or was revoked.")
        if key.expires_at is not None and key.expires_at <= self._database.now():
            raise Unauthorized("This API key has expired.")
        return key

    def get(self, key_id: str) -> Key | None:
        """The key of this id, unless it was revoked; also one that has expired."""
        found = self._read(key_id)
        return None if found is None else Key.decode(found)

    def require(self, key_id: str) -> Key:
        """The same, where it must be there.

        Raises:
            NotFound: there is no such key.
        """
        key = self.get(key_id)
        if key is None:
            raise _unknown(key_id)
        return key

    def list(self) -> list[Key]:
        """Every key, oldest first."""
        found: list[bytes] = self._database.command("HVALS", _KEYS)
        return sorted((Key.decode(text) for text in found), key=lambda key: key.created_at)

    def change(self, key_id: str, change: Callable[[Key], Key]) -> Key:
        """Replaces a key's record by what `change` makes of it, and returns that.

        Args:
            change: called again if the record was changed by another program meanwhile.

        Raises:
            NotFound: there is no such key.
        """
        while found := self._read(key_id):
            key = change(Key.decode(found))
            if self._database.run("replace_key", key_id, found, key.encode(), resend=False):
                return key
        raise _unknown(key_id)

    def expire_in(self, key_id: str, seconds: float | None) -> Key:
        """Lets a key expire in so many seconds; None: never. See `change`."""
        expires_at = None if seconds is None else self._database.now() + seconds
        return self.change(key_id, lambda key: replace(key, expires_at=expires_at))

    def rotate(self, key_id: str, overlap_s: float) -> tuple[str, Key]:
        """A new secret for a key, shown this once; the latest one before is valid for `overlap_s` more seconds.

        Its id stays, and with it all that it owns. See `change`.
        """
        text, until = _draw(key_id), self._database.now() + overlap_s
        rotated = self.change(
            key_id, lambda key: replace(key, digest=_digest(text), replaced=Replaced(key.digest, until))
        )
        return text, rotated

    def rotate_webhook_secret(self, key_id: str, overlap_s: float) -> Key:
        """A new webhook secret; for `overlap_s` seconds, the one before signs webhooks as well. See `change`."""
        secret, until = _draw_webhook_secret(), self._database.now() + overlap_s
        return self.change(
            key_id,
            lambda key: replace(
                key, webhook_secret=secret, replaced_webhook_secret=Replaced(key.webhook_secret, until)
            ),
        )

    def webhook_secrets(self, key_id: str) -> tuple[str, ...]:
        """The secrets that sign a key's webhooks now, the newest first; none of a key that was revoked."""
        key = self.get(key_id)
        if key is None:
            return ()
        before = key.replaced_webhook_secret
        valid = before is not None and self._database.now() < before.until
        return (key.webhook_secret, before.value) if before is not None and valid else (key.webhook_secret,)

    def revoke(self, key_id: str) -> None:
        """Makes a key invalid at once. What it owns stays: see `KeyData`.

        Raises:
            NotFound: there is no such key.
        """
        if not self._database.run("revoke_key", key_id):
            raise _unknown(key_id)

    def _read(self, key_id: str) -> bytes | None:
        found: bytes | None = self._database.command("HGET", _KEYS, key_id)
        return found

    def _was(self, replaced: Replaced | None, digest: str) -> bool:
        """Whether this is the digest that a rotation has replaced, and is still valid."""
        if replaced is None or not hmac.compare_digest(replaced.value, digest):
            return False
        return self._database.now() < replaced.until


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that this version has."""
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def _unknown(key_id: str) -> NotFound:
    return NotFound(f"There is no key {key_id}; `riffusion keys list` shows those there are.")


def _draw(key_id: str) -> str:
    return f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def _draw_webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
