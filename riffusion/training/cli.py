"""`riffusion train …`. Torch is imported only when a command runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("data/tiny"), show_default=True, help="Working folder."
)
_PROCESSES = click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
_CLIPS = click.option("--clips", type=click.IntRange(1), default=9216, show_default=True, help="Clips to compose.")
_TRAINING_SEED = click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="The same seed draws the same batches, noise and LoRA weights.",
)
_SEED = click.option("--seed", type=int, default=0, show_default=True, help="The same seed composes the same clips.")


@click.group()
def train() -> None:
    """Train the bundled model, or fine-tune or distill any Stable Diffusion."""


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
    "--compile",
    "compiled",
    is_flag=True,
    help="Compile the UNet first: takes minutes, then each step a fifth less time. Needs g++ and python3-dev.",
)
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
    compiled: bool,
    start_from: Path | None,
    export_to: Path | None,
) -> None:
    """Train the bundled model: data, text encoder, autoencoder, decoder, UNet. A stopped run resumes where it was."""
    from riffusion.training.runs.tiny import export_tiny, train_tiny
    from riffusion.training.runs.tiny_folder import tiny_run

    job = tiny_run(
        folder,
        clips=clips,
        processes=processes,
        seed=seed,
        steps=steps,
        batch=batch,
        compiled=compiled,
        start=start_from,
    )
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


def _training_options(*, rank: int, steps: int, batch: int, every: int) -> Callable[[_Command], _Command]:
    """The options of every training of a checkpoint, with these defaults."""
    options = [
        click.option("--checkpoint", required=True, help="Stable Diffusion 1.x or 2.x: a folder, or a hub id."),
        click.option("--revision", help="The commit, for a hub id."),
        click.option(
            "--output", required=True, type=click.Path(path_type=Path), help="Results, samples and checkpoints."
        ),
        click.option("--method", type=click.Choice(["lora", "full"]), default="lora", show_default=True),
        click.option("--rank", type=click.IntRange(1), default=rank, show_default=True, help="Of the LoRA matrices."),
        click.option("--steps", type=click.IntRange(1), default=steps, show_default=True),
        click.option(
            "--batch", type=click.IntRange(1), default=batch, show_default=True, help="Rows a batch and process."
        ),
        click.option("--accumulation", type=click.IntRange(1), default=1, show_default=True, help="Batches a step."),
        click.option(
            "--optimizer",
            type=click.Choice(["adamw", "adamw-8bit"]),
            default="adamw",
            show_default=True,
            help="In 8 bits, its state takes a quarter of the memory; needs bitsandbytes.",
        ),
        click.option(
            "--rate",
            type=click.FloatRange(0, 1, min_open=True),
            help="Peak learning rate. Default: 1e-4 for a LoRA, 1e-5 for all weights.",
        ),
        click.option(
            "--warmup",
            type=click.IntRange(0),
            default=100,
            show_default=True,
            help="Steps over which the rate rises; at most half of all.",
        ),
        click.option("--mixed-precision", type=click.Choice(["no", "fp16", "bf16"]), default="no", show_default=True),
        click.option("--gradient-checkpointing", is_flag=True, help="Less memory, more time."),
        click.option("--checkpoint-every", type=click.IntRange(1), default=every, show_default=True),
        click.option("--sample-every", type=click.IntRange(1), default=every, show_default=True),
        click.option("--prompt", "prompts", multiple=True, help="To sample with; may be repeated."),
        _TRAINING_SEED,
    ]

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


@train.command()
@click.option("--data", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@_training_options(rank=16, steps=2000, batch=4, every=500)
@click.option("--train-text-encoder", is_flag=True, help="Train the text encoder too, by the same method.")
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
@click.option("--held-out", type=click.FloatRange(0, 0.9), default=0.1, show_default=True, help="Share of tracks.")
@click.option("--on-beats/--fixed-length", default=True, show_default=True, help="Where clips begin.")
@click.option(
    "--single-file", is_flag=True, help="After --method full: also one file as the original Stable Diffusion's."
)
def finetune(**options: Any) -> None:
    """Fine-tune on a folder of audio. Captions: captions.csv, a text file beside each file, or the file names.

    For several GPUs: `accelerate launch -m riffusion train finetune …`.
    """
    from riffusion.training.finetuning.options import FinetuneOptions
    from riffusion.training.runs.finetune import finetune as run

    click.echo(run(FinetuneOptions(**options)))


@train.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="A file with a caption a line, a folder of audio as for fine-tuning, or a folder of `train tiny`.",
)
@_training_options(rank=32, steps=2000, batch=8, every=250)
@click.option(
    "--guidance", type=click.FloatRange(1), help="Scale that becomes part of the weights. Default: the checkpoint's."
)
@click.option("--teacher-steps", type=click.IntRange(2), default=20, show_default=True, help="Of DPM++ 2M.")
@click.option("--student-steps", type=click.IntRange(1), default=4, show_default=True, help="Of Euler, afterwards.")
@click.option(
    "--trajectories",
    type=click.IntRange(1),
    default=2048,
    show_default=True,
    help="Of the teacher, to learn from. Rounded down to a multiple of 16, but at least 16.",
)
@click.option(
    "--judged",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Captions whose clips are judged each time, for models trained on the composer's music.",
)
@click.option(
    "--export-to",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Model folder that gets the LoRA as its quality `fast`.",
)
def distill(*, export_to: Path | None, **options: Any) -> None:
    """Distill to a few steps without guidance, which then make nearly the same clips as many with guidance.

    For several GPUs: `accelerate launch -m riffusion train distill …`; for several processes on a CPU: `torchrun …`.
    """
    from riffusion.training.distillation.options import DistillOptions
    from riffusion.training.runs.distill import distill as run

    click.echo(run(DistillOptions(**options), export_to))
