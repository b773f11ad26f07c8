"""Clients: what one has; those that are blocked; block, unblock."""

from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from api.admin.authorization import PROBLEMS, actor, blueprint, record
from api.admin.client_schemas import (
    BlockList,
    BlockRequest,
    ClientActed,
    ClientActionRequest,
    ClientBlock,
    ClientHoldings,
    ClientQuery,
)
from api.json_body import JSON_TYPE, json_response, read_model
from api.operations import Reply, operation
from api.query import read_query
from api.representation import optional_utc, utc
from api.services import services
from riffusion.errors import InvalidRequest, NotFound
from riffusion.jobs.clients import Block, block_seconds


@blueprint.get("/clients")
@operation(
    "List the clients that are blocked",
    {200: Reply("All of them.", {JSON_TYPE: BlockList})},
    problems=PROBLEMS,
)
def admin_blocks() -> Response:
    """For an operator's key. Looks through the names of all that Redis has, in small steps."""
    tools = services().operator
    blocks = [_present(block) for block in tools.clients.blocks()]
    return json_response(BlockList(at=utc(tools.monitor.now()), blocks=blocks))


@blueprint.get("/clients/holdings")
@operation(
    "See what a client has",
    {200: Reply("Counts of its jobs, uploads and bytes.", {JSON_TYPE: ClientHoldings})},
    query=ClientQuery,
    problems=(*PROBLEMS, InvalidRequest),
)
def admin_client() -> Response:
    """For an operator's key. Reads all records, in small steps, so it may take seconds."""
    tools, client = services().operator, read_query(ClientQuery).client
    view = tools.clients.show(client)
    return json_response(
        ClientHoldings(
            at=utc(tools.monitor.now()), client=client, jobs=view.jobs, uploads=view.uploads, batches=view.batches,
            held=view.held, published=view.published,
            stored_bytes=view.stored_bytes, request_bytes=view.request_bytes, first_at=optional_utc(view.first_at),
            block=_present(view.block) if view.block else None,
        )
    )  # fmt: skip


@blueprint.post("/clients")
@operation(
    "Block or unblock a client",
    {200: Reply("Done.", {JSON_TYPE: ClientActed})},
    body={JSON_TYPE: ClientActionRequest},
    problems=(*PROBLEMS, BadRequest, RequestEntityTooLarge, UnsupportedMediaType, InvalidRequest, NotFound),
)
def admin_act_on_client() -> Response:
    """For an operator's key. A blocked client may read and delete what it has; what waits and runs is not touched."""
    wanted, clients = read_model(request, ClientActionRequest).root, services().operator.clients
    if isinstance(wanted, BlockRequest):
        clients.require_key(wanted.client)
        record("client.block", wanted.client, reason=wanted.reason, hours=wanted.hours)
        clients.block(wanted.client, wanted.reason, actor(), block_seconds(wanted.hours))
    else:
        clients.require_block(wanted.client)
        record("client.unblock", wanted.client)
        clients.unblock(wanted.client)
    return json_response(ClientActed(client=wanted.client))


def _present(block: Block) -> ClientBlock:
    return ClientBlock(client=block.client, reason=block.reason, by=block.by, at=utc(block.at), left_s=block.expires_s)
