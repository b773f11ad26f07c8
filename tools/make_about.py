"""Makes the sounds and pictures of the about page: `python -m tools.make_about --url http://127.0.0.1:8000`.

Any running stack will do; the clips depend on its model. All files go to `web/static/about/`.
"""

import json
from pathlib import Path

import click
from PIL import Image

from riffusion.client import Client, Job
from riffusion.requests import AnyRequest, InterpolationEnd, JobResult
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

OUT = Path(__file__).parents[1] / "web" / "static" / "about"
SIZE = (320, 256)
EXAMPLE = TextToAudio(prompt="jazz piano solo with drums", seed=7, steps=30)
NEW_WORDS = "church bells"
STRENGTHS = (0.25, 0.45, 0.65, 0.85)
ENDS = (("slow acoustic guitar melody", 11), ("techno beat, 128 bpm", 12))
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The API.")
def main(url: str) -> None:
    """Submits the clips, waits, and writes them with an index."""
    OUT.mkdir(exist_ok=True)
    client = Client(url, retry_for_s=600)
    example = client.submit(EXAMPLE)
    first = _keep(example, "example", EXAMPLE.prompt)
    init = JobResult(job=example.id)
    denoised = [
        _submit(
            client, Riff(prompt=NEW_WORDS, init=init, denoising=strength, seed=7, steps=30), f"denoising-{strength:.2f}"
        )
        for strength in STRENGTHS
    ]
    start, end = (InterpolationEnd(prompt=prompt, seed=seed) for prompt, seed in ENDS)
    between = [
        _submit(client, Interpolate(start=start, end=end, alpha=alpha, steps=30), f"between-{alpha:.2f}")
        for alpha in ALPHAS
    ]
    index = {
        "example": first,
        "denoising": [first] + [
            _keep(job, name, NEW_WORDS) | {"denoising": strength}
            for (job, name), strength in zip(denoised, STRENGTHS, strict=True)
        ],
        "between": [
            _keep(job, name, ENDS[round(alpha)][0]) for (job, name), alpha in zip(between, ALPHAS, strict=True)
        ],
    }  # fmt: skip
    (OUT / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    click.echo(f"{len(list(OUT.iterdir()))} files in {OUT.name}/")


def _submit(client: Client, request: AnyRequest, name: str) -> tuple[Job, str]:
    return client.submit(request), name


def _keep(job: Job, name: str, prompt: str) -> dict[str, str | float]:
    """Waits for a clip and writes its sound, and its picture in small."""
    result = job.wait().result
    job.audio.save(OUT / f"{name}.mp3")
    picture = Image.open(job.image.open()).convert("L").resize(SIZE, Image.Resampling.LANCZOS)
    picture.save(OUT / f"{name}.webp", quality=72, method=6)
    return {"name": name, "prompt": prompt, "duration": result.audio.duration_s}


if __name__ == "__main__":
    main()
