"""Replicate's HTTP API, for its packages as they are: predictions are jobs, and there is one model.

Records, limits, fairness and keys are those of `POST /jobs`.
"""

from api.compatibility.replicate import models, predictions  # noqa: F401 -- each adds its views to the blueprint
from api.compatibility.replicate.blueprint import blueprint

__all__ = ["blueprint"]
