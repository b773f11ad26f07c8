"""Predictions: create, read, list, cancel."""

from contextlib import suppress
from http import HTTPStatus
from typing import Annotated

from flask import Response, request
from pydantic import BaseModel, Field

from api.authentication import caller, owner
from api.compatibility import held_job
from api.compatibility.replicate.blueprint import blueprint
from api.compatibility.replicate.creation import MODEL, Creation, cancel_after, named_version, preferred_wait
from api.compatibility.replicate.representation import PredictionView, has_readable_output, inline_output, present
from api.held_requests import Snapshot
from api.json_body import json_response, read_json
from api.query import MAX_PAGE, read_query
from api.services import services
from riffusion.errors import NotFound, Overloaded, TooManyRequests
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobOutput, JobRecord


class PredictionPage(BaseModel):
    """Part of the caller's predictions, newest first."""

    previous: None = None
    next: str | None
    results: list[PredictionView]


class PageQuery(BaseModel):
    """Which page of them."""

    cursor: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None


@blueprint.post("/predictions")
def create() -> Response:
    """Creates a prediction of the version that the body names."""
    creation = _creation()
    return _create(creation, named_version(creation.version))


@blueprint.post("/models/<owner_name>/<model_name>/predictions")
def create_of_model(owner_name: str, model_name: str) -> Response:
    """Creates a prediction of a model."""
    version = named_version(f"{owner_name}/{model_name}")
    return _create(_creation(), version)


@blueprint.get("/predictions/<job_id>")
def get(job_id: str) -> Response:
    """A prediction, with what it made."""
    return _respond(_require(job_id))


@blueprint.post("/predictions/<job_id>/cancel")
def cancel(job_id: str) -> Response:
    """Cancels a prediction unless it has ended; one that had ended has links to what it made."""
    here = services()
    _require(job_id)
    return json_response(present(here.store.cancel(job_id, caller().identity), here.presenter))


@blueprint.get("/predictions")
def list_predictions() -> Response:
    """The caller's predictions. Jobs that came in otherwise are left out, so a page may hold few."""
    here = services()
    page = here.store.list(owner(), limit=MAX_PAGE, cursor=read_query(PageQuery).cursor)
    results = [present(each, here.presenter) for each in page.records if each.prediction]
    following = here.presenter.address(f"/v1/predictions?cursor={page.cursor}") if page.cursor else None
    return json_response(PredictionPage(next=following, results=results))


def _creation() -> Creation:
    return Creation.of(read_json(request, services().settings.max_body_bytes))


def _create(creation: Creation, version: str) -> Response:
    """Accepts the job, and waits for its end as long as the client prefers.

    One that hasn't ended yet is `starting` here, even if it runs: the packages take any other status for an end. They
    then poll, and so they do where the server can't send more files right now.
    """
    here = services()
    wanted = creation.input.request(here.store.models.card(here.settings.model), here.settings.seed_dir)
    submission = Submission(
        wanted.model_copy(update={"webhook": creation.hook}),
        caller(),
        prediction=creation.prediction(version),
        cancel_after_s=cancel_after(request.headers.get("Cancel-After")),
    )
    snapshot = held_job.submit(submission)
    seconds = preferred_wait(request.headers.get("Prefer", ""))
    if seconds and not snapshot.record.status.terminal:
        snapshot = _waited_for(snapshot, seconds)
    if snapshot.record.status.terminal:
        with suppress(Overloaded, TooManyRequests):
            return _respond(snapshot.record, HTTPStatus.CREATED)
    unfinished = {"status": "starting", "output": None}
    return json_response(present(snapshot.record, here.presenter).model_copy(update=unfinished), HTTPStatus.CREATED)


def _waited_for(snapshot: Snapshot, seconds: float) -> Snapshot:
    with suppress(Overloaded, TooManyRequests), held_job.held_place():
        return held_job.wait_for_end(snapshot, seconds)
    return snapshot  # there is no place for it


def _require(job_id: str) -> JobRecord:
    """The record of a prediction that the caller may see.

    Raises:
        NotFound: also where the job didn't come in as a prediction.
        RiffusionError: as `JobStore.get`.
    """
    record = services().store.get(job_id, caller().identity)
    if record.prediction is None:
        raise NotFound(f"Job {job_id} is no prediction of {MODEL}; GET /jobs/{job_id} has it.")
    return record


def _respond(record: JobRecord, status: int = HTTPStatus.OK) -> Response:
    """A prediction with its files, in it where the packages can't read them by links.

    Raises:
        RiffusionError: as `held_job.respond_inline`.
    """
    presenter = services().presenter
    view = present(record, presenter)
    if record.result is None or has_readable_output(view, presenter):
        return json_response(view, status)

    def with_files(output: JobOutput, files: held_job.ResultFiles) -> Response:
        return json_response(view.model_copy(update={"output": inline_output(output, files)}), status)

    return held_job.respond_inline(record.result, with_files)
