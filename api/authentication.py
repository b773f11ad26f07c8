"""The client that a request comes from, by its key, secret or address, and the client's limits."""

import re

from flask import Request, g, request

from api.ip_networks import address_client
from api.services import Services, services
from riffusion.errors import InvalidRequest, Unauthorized
from riffusion.jobs.keys import PREFIX, Key
from riffusion.jobs.tenants import Tenant, anonymous_quota, key_tenant, secret_owner

END_USER = "Riffusion-End-User"
SECRET = "Riffusion-Secret"  # noqa: S105 -- the name of a header
_END_USER = re.compile(r"[\x21-\x7e]{1,128}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")  # 128 bits in base64 are 22 characters
_SECRET_FORM = "must be 22 to 128 letters, digits, - and _"  # noqa: S105 -- no secret either
_FOREIGN_TOKEN = re.compile(r"r8_[A-Za-z0-9]{37}")  # of Replicate
_DISTINCT = 12  # characters in a token that was drawn: it has some 29, a placeholder few


def caller() -> Tenant:
    """The client on whose behalf the current request is made.

    Raises:
        Unauthorized: it has no key where one is required, or one that is unknown or revoked.
        InvalidRequest: its end user or secret is malformed.
        StoreUnavailable: Redis doesn't respond.
    """
    if "caller" not in g:
        g.caller = _identify(request, services())
    found: Tenant = g.caller
    return found


def owner() -> Tenant:
    """The same client, where it must be an owner: by a key or a secret, since many people may share an address.

    Raises:
        Unauthorized: it has neither a key nor a secret. And as `caller`.
    """
    found = caller()
    if found.owner is None:
        raise Unauthorized(
            f"A list needs an API key, or a secret of your own: draw 128 random bits and send them as `{SECRET}` with "
            "every request (22 to 128 letters, digits, - and _). It lists what the same secret submitted."
        )
    return found


def bearer_key(incoming: Request, here: Services) -> Key | None:
    """The API key that a request bears; None without one.

    Raises:
        Unauthorized: it is unknown, revoked or expired.
        StoreUnavailable: Redis doesn't respond.
    """
    sent = incoming.authorization  # other schemes than Bearer are for proxies
    return here.keys.check(sent.token or "") if sent is not None and sent.type == "bearer" else None


def adopt_foreign_token() -> None:
    """Takes a bearer token that isn't of this server's form for the client's secret, from now on in this request.

    Clients of other servers send a token of those, or one that their users made up. What others might make up, too,
    stands for nobody.

    Raises:
        Unauthorized: this server requires a key.
    """
    sent = request.authorization
    if sent is not None and sent.type == "bearer" and not (sent.token or "").startswith(f"{PREFIX}_"):
        token = sent.token or ""
        guessable = not _FOREIGN_TOKEN.fullmatch(token) or len(set(token)) < _DISTINCT
        secret = _header(request, SECRET, _SECRET, _SECRET_FORM) if guessable else token
        g.caller = _anonymous(request, services(), secret)


def _identify(incoming: Request, here: Services) -> Tenant:
    end_user = _header(incoming, END_USER, _END_USER, "must be 1 to 128 visible ASCII characters")
    secret = _header(incoming, SECRET, _SECRET, _SECRET_FORM)
    key = bearer_key(incoming, here)
    if key is not None:
        # Only a key for end users may name them, because each has limits and a share of the queue.
        name = key_tenant(key.id, end_user if key.for_end_users else None)
        return Tenant(name, owner=name, weight=key.weight, quota=key.quota)
    return _anonymous(incoming, here, secret)


def _anonymous(incoming: Request, here: Services, secret: str | None) -> Tenant:
    if not here.settings.anonymous:
        raise Unauthorized("This server requires an API key: send it as `Authorization: Bearer <key>`.")
    name, networks = address_client(incoming)
    owner_name = secret_owner(secret) if secret else None
    return Tenant(name, networks, owner_name, quota=anonymous_quota(here.settings))


def _header(incoming: Request, name: str, form: re.Pattern[str], message: str) -> str | None:
    value = incoming.headers.get(name)
    if value is not None and not form.fullmatch(value):
        raise InvalidRequest([{"field": name, "message": message}])
    return value
