"""The audit log."""

from flask import Response

from api.admin.authorization import PROBLEMS, blueprint
from api.admin.schemas import AuditPage, AuditQuery, AuditRecord
from api.json_body import JSON_TYPE, json_response
from api.operations import Reply, operation
from api.query import read_query
from api.representation import utc
from api.services import services
from riffusion.errors import InvalidRequest


@blueprint.get("/audit")
@operation(
    "Read the audit log, newest first",
    {200: Reply("A page of it.", {JSON_TYPE: AuditPage})},
    query=AuditQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_audit() -> Response:
    """For an operator's key. What operators have done, by this API and by the command line."""
    tools, query = services().operator, read_query(AuditQuery)
    found = tools.audit.read(query.limit, query.cursor)
    entries = [
        AuditRecord(
            id=entry.id, at=utc(entry.at), actor=entry.actor, action=entry.action, target=entry.target,
            details=dict(entry.details),
        )
        for entry in found
    ]  # fmt: skip
    more = len(found) == query.limit
    return json_response(
        AuditPage(at=utc(tools.monitor.now()), entries=entries, next_cursor=found[-1].id if more else None)
    )
