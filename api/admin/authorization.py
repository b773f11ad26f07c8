"""Who may use `/admin/api`: the bearer of an operator's key, and nobody else, on every address below it.

The key comes in the Authorization header alone, which no other site can make a browser send. Preflights bear no key and
are refused, so that pages of other origins can't use the operators' API, whatever RIFFUSION_CORS_ORIGINS says.
"""

from flask import Blueprint, Response, g, request
from pydantic import JsonValue

from api.authentication import bearer_key
from api.services import services
from riffusion.errors import Forbidden, StoreUnavailable, Unauthorized
from riffusion.jobs.keys import Key
from riffusion.jobs.tenants import Tenant, key_tenant

PROBLEMS = (Unauthorized, Forbidden, StoreUnavailable)
"""What every operation of this part may respond with."""

blueprint = Blueprint("admin", __name__, url_prefix="/admin/api")


@blueprint.before_request
def _authorize() -> None:
    key = bearer_key(request, services())
    if key is None:
        raise Unauthorized("This needs an operator's API key: send it as `Authorization: Bearer <key>`.")
    g.caller = Tenant(name := key_tenant(key.id), owner=name, weight=key.weight, quota=key.quota)
    if not key.operator:
        raise Forbidden("This API key isn't an operator's; `riffusion keys` makes one that is.")
    g.operator_key = key


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def operator_key() -> Key:
    """The key of the operator who makes the current request."""
    found: Key = g.operator_key
    return found


def actor() -> str:
    """Who makes the current request, as the audit log names them."""
    return f"key:{operator_key().id}"


def record(action: str, target: str, **details: JsonValue) -> None:
    """Writes what the current request is about to do into the audit log."""
    services().operator.audit.write(actor(), action, target, details)
