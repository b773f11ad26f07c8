"""The operators' part of the API, under `/admin/api`; riffusion.jobs does the work, as for the command line."""

from api.admin import audit, clients, clips, jobs, models, overview  # noqa: F401 -- each adds its views to the blueprint
from api.admin.authorization import blueprint

__all__ = ["blueprint"]
