"""Seed images and models."""

import io

from PIL import Image

from api.services import Services
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.requests import PRESETS, ModelCard, Preset
from riffusion.seeds import list_seeds
from tests.api.conftest import PROMPT, Client, Worker, submit

UNUSED = {"timestep_spacing": None, "guidance": None, "guidance_end": None}


def test_every_seed_image_is_listed_with_its_picture(client: Client) -> None:
    listed = client.get("/seeds").json["seeds"]
    assert [seed["name"] for seed in listed] == [seed.name for seed in list_seeds()]
    for seed in listed:
        response = client.get(seed["image_url"])
        assert response.content_type == "image/png"
        assert Image.open(io.BytesIO(response.data)).size == (512, 512)


def test_a_seed_image_can_be_named(client: Client) -> None:
    name = client.get("/seeds").json["seeds"][0]["name"]
    assert submit(client, mode="riff", init={"seed_image": name})["request"]["init"] == {"seed_image": name}


def test_models_with_a_worker_are_listed(client: Client, worker: Worker) -> None:
    submit(client)
    submit(client)
    worker.claim()
    assert client.get("/models").json["models"] == [
        {
            "name": "tiny",
            "default": True,
            "state": "active",
            "workers": 1,
            "slots": 4,
            "waiting": 1,
            "running": 1,
            "loras": [],
            "guidance": None,
            "qualities": {
                name: {"steps": steps, "scheduler": "dpm++2m", **UNUSED, "lora": None}
                for name, steps in (("fast", 10), ("standard", 20), ("best", 50))
            },
        }
    ]


def test_without_workers_there_are_no_models(client: Client) -> None:
    assert client.get("/models").json == {"models": []}


def test_loras_are_listed_and_others_refused(client: Client, services: Services) -> None:
    card = ModelCard(loras=("choir", "dub"))
    services.store.models.register("w", "tiny", 1, card)
    assert client.get("/models").json["models"][0]["loras"] == ["choir", "dub"]
    assert submit(client, lora={"dub": 0.5, "choir": 1})["request"]["lora"] == {"choir": 1.0, "dub": 0.5}
    services.store.models.unregister("w")  # whose jobs now wait
    submit(client, lora={"dub": 2})
    response = client.post("/jobs", json=[PROMPT, {**PROMPT, "lora": {"rock": 1}}])
    assert response.status_code == 422
    assert response.json["code"] == "unknown_reference"
    assert response.json["errors"][0]["field"] == "1.lora.rock"
    assert "choir, dub" in response.json["detail"]


def test_the_models_guidance_is_filled_in(client: Client, services: Services) -> None:
    assert submit(client)["request"]["guidance"] is None  # unknown until a worker has announced it
    services.store.models.register("w", "tiny", 1, ModelCard(guidance=4.5))
    assert client.get("/models").json["models"][0]["guidance"] == 4.5
    assert submit(client)["request"]["guidance"] == 4.5
    assert submit(client, guidance=2)["request"]["guidance"] == 2
    end = {"prompt": "a", "guidance": 1}
    between = {"mode": "interpolate", "start": end, "end": {"prompt": "b"}, "alpha": 0.5}
    job = client.post("/jobs", json=between).json
    assert [job["request"][name]["guidance"] for name in ("start", "end")] == [1, 4.5]


def test_a_models_qualities_are_listed_and_filled_in(client: Client, services: Services) -> None:
    fast = {"steps": 4, "scheduler": "lcm", **UNUSED, "guidance": 1, "lora": {"few": 1}}
    card = ModelCard(loras=("dub",), guidance=4, qualities=PRESETS | {"fast": Preset.model_validate(fast)})
    services.store.models.register("w", "tiny", 1, card)
    assert client.get("/models").json["models"][0]["qualities"]["fast"] == fast
    asked = submit(client, quality="fast", lora={"dub": 0.5}, seed=1)["request"]
    assert fast | {"quality": "fast", "lora": {"dub": 0.5, "few": 1}} == {
        name: asked[name] for name in (*fast, "quality")
    }
    assert submit(client, **asked)["request"] == asked
    response = client.post("/jobs", json=[PROMPT, {**PROMPT, "quality": "fast", "steps": 51}])
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "1.steps")


def test_a_pause_is_said_in_the_list_and_in_what_waits(client: Client, services: Services, worker: Worker) -> None:
    control = ModelControl(services.store.redis, services.settings)
    control.set_state("tiny", ModelState.PAUSED)
    job = submit(client)
    assert job["queue"] == {"position": 0, "eta_s": None, "paused": True}
    assert client.get("/models").json["models"][0]["state"] == "paused"
    first = client.get(f"/jobs/{job['id']}")
    assert first.headers["Retry-After"] == "10"
    control.set_state("tiny", ModelState.DRAINING)
    second = client.get(f"/jobs/{job['id']}", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.json["queue"]["paused"]) == (200, False)
    refused = client.post("/jobs", json=PROMPT)
    assert (refused.status_code, refused.json["code"]) == (503, "model_draining")
    assert refused.headers["Retry-After"] == "60"
