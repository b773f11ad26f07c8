"""The operators' requests and responses about published clips."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from api.admin.schemas import OperatorResponse
from api.query import MAX_PAGE, PAGE
from riffusion.jobs.gallery import ClipIndex

ShareId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
Cursor = Annotated[str, Field(pattern="^[0-9]{1,16}$")]


class ClipQuery(BaseModel):
    """Which published clips, and the page."""

    model_config = ConfigDict(extra="forbid")

    index: ClipIndex = Field(
        default=ClipIndex.REPORTED, description="`reported`: with reports not dealt with; `gallery`; `published`: all."
    )
    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Clips a page.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class TakedownQuery(BaseModel):
    """The page of the take-downs."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Take-downs a page.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


class ClipReports(OperatorResponse):
    """What visitors have reported about a clip."""

    count: int = Field(description="Clients, each counted once; at most 100.")
    reasons: dict[str, int]
    details: list[str] = Field(description="The latest three, as visitors wrote them.")


class OperatorClip(OperatorResponse):
    """A published clip."""

    id: str = Field(description="Its share id.")
    url: str = Field(description="Its page, which a taken-down clip hasn't any more.")
    job: str
    client: str
    title: str
    at: datetime = Field(description="When it was published or listed, or the last report came.")
    listed: bool = Field(description="Whether it is in the gallery.")
    takedown: str | None = Field(description="Why it was taken down.")
    reports: ClipReports


class ClipList(OperatorResponse):
    """A page of published clips, newest first."""

    at: datetime
    clips: list[OperatorClip]
    next_cursor: str | None = Field(description="For the next page; null after the last.")


class ClipTakedown(OperatorResponse):
    """A clip that was taken down."""

    id: str = Field(description="Its share id; its digest, where a restore of Redis has lost that.")
    reason: str = Field(description="Visitors and the publisher read it.")
    by: str = Field(description="Who took it down, as in the audit log.")
    at: datetime


class TakedownList(OperatorResponse):
    """A page of the take-downs, newest first."""

    at: datetime
    takedowns: list[ClipTakedown]
    next_cursor: str | None = Field(description="For the next page; null after the last.")


class TakeDownRequest(BaseModel):
    """Takes a clip down for everybody."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["takedown"]
    id: ShareId
    reason: str = Field(min_length=1, max_length=200, description="Visitors and the publisher read it.")


class RestoreRequest(BaseModel):
    """Ends a take-down."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["restore"]
    id: ShareId


class DismissRequest(BaseModel):
    """Takes a clip off the list of reported ones."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["dismiss"]
    id: ShareId


class ClipActionRequest(
    RootModel[Annotated[TakeDownRequest | RestoreRequest | DismissRequest, Field(discriminator="action")]]
):
    """What to do to a published clip."""


class ClipActed(OperatorResponse):
    """What was done to a published clip."""

    id: str
