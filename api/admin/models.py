"""Pausing, draining, resuming and retiring models."""

from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.admin.authorization import PROBLEMS, blueprint, record
from api.admin.schemas import ModelActed, ModelAction
from api.json_body import JSON_TYPE, json_response, read_model
from api.operations import Reply, operation
from api.services import services
from riffusion.errors import Conflict, InvalidRequest, NotFound
from riffusion.jobs.models import ModelState

_STATES = {"pause": ModelState.PAUSED, "drain": ModelState.DRAINING, "resume": ModelState.ACTIVE}


@blueprint.post("/models/<model>")
@operation(
    "Pause, drain, resume or retire a model",
    {200: Reply("Done.", {JSON_TYPE: ModelActed})},
    body={JSON_TYPE: ModelAction},
    problems=(
        *PROBLEMS, BadRequest, RequestEntityTooLarge, UnsupportedMediaType, InvalidRequest, NotFound, Conflict,
    ),
)  # fmt: skip
def admin_act_on_model(model: str) -> Response:
    """For an operator's key. Jobs that run are left alone; the state lasts until it is set again."""
    action, control = read_model(request, ModelAction).action, services().operator.models
    if action == "retire":
        control.check_retirement(model)
        record("model.retire", model)
        return json_response(ModelActed(failed=control.retire(model)))
    if control.state(model) is not _STATES[action]:
        record(f"model.{action}", model)
        control.set_state(model, _STATES[action])
    return json_response(ModelActed(failed=0))
