"""Lists of what requests may name: seed images and models."""

from flask import Blueprint, Response

from api.json_body import JSON_TYPE, json_response
from api.operations import BINARY, Reply, operation
from api.schemas import ModelEntry, ModelList, SeedList, SeedPicture
from api.services import services
from riffusion.errors import NotFound, StoreUnavailable, UnknownReference
from riffusion.seeds import list_seeds, open_seed

_DAY_S = 86_400

blueprint = Blueprint("catalog", __name__)


@blueprint.get("/seeds")
@operation("List the built-in seed images", {200: Reply("All of them.", {JSON_TYPE: SeedList})})
def seeds() -> Response:
    """Initial pictures that set the rhythm. A request names one as `{"seed_image": name}`."""
    here = services()
    found = [
        SeedPicture(
            name=seed.name, title=seed.title, bpm=seed.bpm, bars=seed.bars, beats_per_bar=seed.beats_per_bar,
            image_url=here.presenter.address(f"/seeds/{seed.name}.png"),
        )
        for seed in list_seeds()
    ]  # fmt: skip
    return json_response(SeedList(seeds=found), cache=f"public, max-age={_DAY_S}")


@blueprint.get("/seeds/<name>.png")
@operation(
    "Fetch a seed image",
    {200: Reply("The spectrogram.", {"image/png": BINARY})},
    problems=(NotFound,),
)
def seed_image(name: str) -> Response:
    """The picture, 512 columns of 10 ms."""
    try:
        picture = open_seed(name, services().settings.seed_dir)
    except UnknownReference:
        raise NotFound(f"There is no seed image {name}; GET /seeds lists those there are.") from None
    response = Response(picture, content_type="image/png")
    response.headers["Cache-Control"] = f"public, max-age={_DAY_S}"
    return response


@blueprint.get("/models")
@operation(
    "List the models",
    {200: Reply("Those with a running worker.", {JSON_TYPE: ModelList})},
    problems=(StoreUnavailable,),
)
def models() -> Response:
    """Jobs for a model whose workers are all stopped wait; jobs for a model that never had a worker are refused."""
    here = services()
    found = [
        ModelEntry(
            name=name, default=name == here.settings.model, state=load.state, workers=load.workers, slots=load.slots,
            waiting=load.waiting, running=load.running, loras=list(load.card.loras), guidance=load.card.guidance,
            qualities=load.card.qualities,
        )
        for name, load in here.store.models.alive().items()
    ]  # fmt: skip
    return json_response(ModelList(models=found))
