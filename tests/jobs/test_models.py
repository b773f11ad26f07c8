"""What workers report about their model, with two versions on one Redis."""

import json

from riffusion.jobs.models import ModelDirectory
from riffusion.jobs.store import JobStore
from riffusion.requests import PRESETS, ModelCard, Preset

CARD = ModelCard(loras=("dub",), guidance=4, qualities=PRESETS | {"fast": Preset(steps=4, scheduler="lcm", guidance=1)})


def test_a_card_is_read_as_it_was_reported(store: JobStore) -> None:
    store.models.register("w", "tiny", 1, CARD)
    assert store.models.card("tiny") == store.models.loads()["tiny"].card == CARD


def test_the_version_before_reads_the_part_that_it_knows(store: JobStore) -> None:
    store.models.register("w", "tiny", 1, CARD)
    card = store.redis.hget("model:tiny", "card") or ""
    assert json.loads(card) == {"loras": ["dub"], "guidance": 4}  # type: ignore[arg-type]


def test_of_a_worker_of_the_version_before_the_rest_is_as_everywhere(store: JobStore) -> None:
    store.redis.hset("model:tiny", "card", '{"loras": ["dub"], "guidance": 4}')
    assert store.models.card("tiny") == ModelCard(loras=("dub",), guidance=4)


def test_what_a_later_version_reports_in_addition_is_ignored(store: JobStore) -> None:
    qualities = CARD.model_dump(mode="json")["qualities"]
    qualities["fast"]["upscaler"] = "new"
    store.redis.hset("model:tiny", mapping={"card": "{}", "qualities": json.dumps({"qualities": qualities, "new": 1})})
    assert ModelDirectory(store._database).card("tiny").qualities == CARD.qualities
