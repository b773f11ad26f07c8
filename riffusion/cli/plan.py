"""`riffusion plan`: what a number of clips a second needs, with the source of each figure."""

import click

from riffusion.capacity import hardware
from riffusion.capacity import plan as plan_for
from riffusion.settings import get_settings

POSITIVE = click.FloatRange(0, min_open=True)


@click.command()
@click.option("--per-second", type=POSITIVE, required=True, help="Clips a second, in the busiest hour.")
@click.option("--gpu", metavar="NAME", help="GPU of a worker, such as h200; without one, it has two processors.")
@click.option("--clips-per-second", type=POSITIVE, help="Of one worker, as you have measured.")
@click.option("--gpu-hour-price", type=POSITIVE, help="Of one worker; without it, no money is printed.")
def plan(per_second: float, gpu: str | None, clips_per_second: float | None, gpu_hour_price: float | None) -> None:
    """Workers, processors, Redis, storage, traffic and cost of so many clips a second.

    Below each figure is where it comes from: a measurement with its date and machine, or an assumption. A clip is a
    standard one: 5.11 s, mono, as an MP3 with its picture. The RIFFUSION_ settings of the environment count.
    """
    for line in plan_for(per_second, hardware(gpu, clips_per_second), get_settings(), gpu_hour_price):
        click.echo(f"{line.name:24}{line.value}")
        click.echo(click.wrap_text(line.source, 100, initial_indent=" " * 24, subsequent_indent=" " * 24))
