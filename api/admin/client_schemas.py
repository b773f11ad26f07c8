"""The operators' requests and responses about clients."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from api.admin.schemas import OperatorResponse
from api.ip_networks import client_named
from riffusion.jobs.clients import MAX_HOURS


def _as_recorded(text: str) -> str:
    try:
        return client_named(text)
    except ValueError:
        raise ValueError("must be key:<id>, key:<id>/<end user>, an address, or an IPv6 /64, /56 or /48") from None


ClientName = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_as_recorded)]


class ClientBlock(OperatorResponse):
    """A client that may create nothing."""

    client: str
    reason: str = Field(description="The client reads it.")
    by: str = Field(description="Who blocked it, as in the audit log.")
    at: datetime
    left_s: int | None = Field(description="Seconds until it ends; null: until it is unblocked.")


class BlockList(OperatorResponse):
    """Every client that is blocked, the latest first."""

    at: datetime
    blocks: list[ClientBlock]


class ClientQuery(BaseModel):
    """One client."""

    model_config = ConfigDict(extra="forbid")

    client: ClientName = Field(description="`key:…`, `key:…/<end user>`, or an address.")


class ClientHoldings(OperatorResponse):
    """What a client has, the end users of a key and the addresses of a network included."""

    at: datetime
    client: str
    jobs: dict[str, int] = Field(description="By status.")
    uploads: int
    batches: int
    held: int = Field(description="Requests of those that aren't jobs yet.")
    published: int = Field(description="Clips.")
    stored_bytes: int
    request_bytes: int
    first_at: datetime | None = Field(description="When the oldest of it was created or left to it.")
    block: ClientBlock | None


class BlockRequest(BaseModel):
    """Has a client create nothing more."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["block"]
    client: ClientName
    reason: str = Field(min_length=1, max_length=200, description="The client reads it.")
    hours: float | None = Field(default=None, gt=0, le=MAX_HOURS, description="Null: until it is unblocked.")


class UnblockRequest(BaseModel):
    """Ends a block."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["unblock"]
    client: ClientName


class ClientActionRequest(RootModel[Annotated[BlockRequest | UnblockRequest, Field(discriminator="action")]]):
    """What to do to a client."""


class ClientActed(OperatorResponse):
    """What was done to a client."""

    client: str = Field(description="As records name it.")
