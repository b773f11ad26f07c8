"""The addresses of Replicate's API, and whose requests they serve."""

from flask import Blueprint

from api.authentication import adopt_foreign_token

blueprint = Blueprint("replicate", __name__, url_prefix="/v1")
blueprint.before_request(adopt_foreign_token)
