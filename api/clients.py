"""Who is asking, and what they may. The one place that decides it; everything else takes the answer."""

import math
import re
from dataclasses import dataclass

from flask import Request, g, request

from api.addresses import address_client
from api.services import Services, services
from riffusion.errors import InvalidRequest, Unauthorized
from riffusion.jobs.acceptance import Allowance
from riffusion.jobs.clients import Quota, key_client
from riffusion.jobs.keys import Key

END_USER = "Riffusion-End-User"
_END_USER = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True)
class Caller:
    """On whose behalf the request in hand is made."""

    client: str  # see riffusion.jobs.clients
    quota: Quota
    weight: float  # share of the queue relative to other clients
    key: Key | None


def caller() -> Caller:
    """Who makes the request in hand.

    Raises:
        Unauthorized: it bears no key where one is needed, or one that is unknown or revoked.
        InvalidRequest: it names an end user in a way that can't be.
        StoreUnavailable: Redis doesn't answer.
    """
    if "caller" not in g:
        g.caller = _identify(request, services())
        g.client = g.caller.client  # for the log
    found: Caller = g.caller
    return found


def rate_limit(quota: Quota, allowance: Allowance | None) -> dict[str, str]:
    """The headers of draft-ietf-httpapi-ratelimit-headers-10, where there is a limit."""
    if allowance is None:
        return {}
    return {
        "RateLimit-Policy": f'"creates";q={quota.creates_per_minute};w=60',
        "RateLimit": f'"creates";r={allowance.left};t={math.ceil(allowance.whole_s)}',
    }


def _identify(incoming: Request, here: Services) -> Caller:
    end_user = _end_user(incoming)
    sent = incoming.authorization  # another scheme than Bearer is a matter between the client and a proxy
    if sent is not None and sent.type == "bearer":
        key = here.keys.check(sent.token or "")
        # Only owners who were trusted to name people can: each person has limits and a share of the queue.
        client = key_client(key.id, end_user if key.for_end_users else None)
        return Caller(client, key.quota, key.weight, key)
    if not here.settings.anonymous:
        raise Unauthorized("This server wants an API key: send it as `Authorization: Bearer <key>`.")
    quota = Quota(here.settings.anonymous_creates_per_minute, here.settings.anonymous_jobs_in_flight)
    return Caller(address_client(incoming), quota, weight=1.0, key=None)


def _end_user(incoming: Request) -> str | None:
    end_user = incoming.headers.get(END_USER)
    if end_user is not None and not _END_USER.fullmatch(end_user):
        raise InvalidRequest([{"field": END_USER, "message": "must be 1 to 128 visible ASCII characters"}])
    return end_user
