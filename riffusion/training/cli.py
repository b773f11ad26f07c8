"""`riffusion train …`. Torch is imported only when a command runs."""

from pathlib import Path
from typing import Any

import click

_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("data/tiny"), show_default=True, help="Working folder."
)
_PROCESSES = click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
_CLIPS = click.option("--clips", type=click.IntRange(1), default=9216, show_default=True, help="Clips to compose.")
_SEED = click.option("--seed", type=int, default=0, show_default=True, help="The same seed composes the same clips.")


@click.group()
def train() -> None:
    """Train the bundled model, or fine-tune any Stable Diffusion on a folder of audio."""


@train.command()
@_FOLDER
@_CLIPS
@_PROCESSES
@_SEED
def data(folder: Path, clips: int, processes: int, seed: int) -> None:
    """Compose and render the bundled model's data set. A stopped run resumes where it was."""
    from riffusion.training.runs.tiny import render_data
    from riffusion.training.runs.tiny_folder import tiny_run

    render_data(tiny_run(folder, clips=clips, processes=processes, seed=seed))


@train.command()
@_FOLDER
@_CLIPS
@_PROCESSES
@_SEED
@click.option("--steps", type=click.IntRange(1), default=20_000, show_default=True, help="Steps of the UNet.")
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Clips a step and process.")
@click.option(
    "--start-from",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Start from the weights of this model folder instead of random ones.",
)
@click.option("--export-to", type=click.Path(path_type=Path), help="Folder for the model. Default: FOLDER/model.")
def tiny(
    *,
    folder: Path,
    clips: int,
    processes: int,
    seed: int,
    steps: int,
    batch: int,
    start_from: Path | None,
    export_to: Path | None,
) -> None:
    """Train the bundled model: data, text encoder, autoencoder, decoder, UNet. A stopped run resumes where it was."""
    from riffusion.training.runs.tiny import export_tiny, train_tiny
    from riffusion.training.runs.tiny_folder import tiny_run

    job = tiny_run(folder, clips=clips, processes=processes, seed=seed, steps=steps, batch=batch, start=start_from)
    train_tiny(job)
    export_tiny(job, export_to or folder / "model")


@train.command()
@_FOLDER
@_CLIPS
@_PROCESSES
@_SEED
def judge(folder: Path, clips: int, processes: int, seed: int) -> None:
    """Train the judge on renderings and write it into this package. Not to be done for a model that exists."""
    from riffusion.training.runs.judge import make_judge
    from riffusion.training.runs.tiny import render_data
    from riffusion.training.runs.tiny_folder import tiny_run

    job = tiny_run(folder, clips=clips, processes=processes, seed=seed)
    render_data(job)
    click.echo(make_judge(job))


@train.command()
@click.option("--checkpoint", required=True, help="Stable Diffusion 1.x or 2.x: a folder, or a hub id.")
@click.option("--revision", help="The commit, for a hub id.")
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Results, samples and checkpoints.")
@click.option("--method", type=click.Choice(["lora", "full"]), default="lora", show_default=True)
@click.option("--train-text-encoder", is_flag=True, help="Train the text encoder too, by the same method.")
@click.option("--rank", type=click.IntRange(1), default=16, show_default=True, help="Of the LoRA matrices.")
@click.option("--steps", type=click.IntRange(1), default=2000, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=4, show_default=True, help="Clips a step and process.")
@click.option("--accumulation", type=click.IntRange(1), default=1, show_default=True, help="Batches a step.")
@click.option(
    "--optimizer",
    type=click.Choice(["adamw", "adamw-8bit"]),
    default="adamw",
    show_default=True,
    help="In 8 bits, its state takes a quarter of the memory; needs bitsandbytes.",
)
@click.option(
    "--rate", type=click.FloatRange(0, 1, min_open=True), default=1e-4, show_default=True, help="Learning rate."
)
@click.option(
    "--warmup", type=click.IntRange(0), default=100, show_default=True, help="Steps over which the rate rises."
)
@click.option(
    "--caption-dropout",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Share of captions left empty, which guidance needs.",
)
@click.option(
    "--min-snr-gamma",
    type=click.FloatRange(0, min_open=True),
    help="Limit the weight of timesteps with little noise; 5 is usual. Default: all weigh alike.",
)
@click.option("--mixed-precision", type=click.Choice(["no", "fp16", "bf16"]), default="no", show_default=True)
@click.option("--gradient-checkpointing", is_flag=True, help="Less memory, more time.")
@click.option("--held-out", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share of tracks.")
@click.option("--on-beats/--fixed-length", default=True, show_default=True, help="Where clips begin.")
@click.option("--checkpoint-every", type=click.IntRange(1), default=500, show_default=True)
@click.option("--sample-every", type=click.IntRange(1), default=500, show_default=True)
@click.option("--prompt", "prompts", multiple=True, help="To sample with; may be repeated.")
@click.option(
    "--single-file", is_flag=True, help="After --method full: also one file as the original Stable Diffusion's."
)
@_SEED
def finetune(**options: Any) -> None:
    """Fine-tune on a folder of audio. Captions: captions.csv, a text file beside each file, or the file names.

    For several GPUs: `accelerate launch -m riffusion train finetune …`.
    """
    from riffusion.training.finetuning.options import FinetuneOptions
    from riffusion.training.runs.finetune import finetune as run

    click.echo(run(FinetuneOptions(**options)))
