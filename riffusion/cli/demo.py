"""One clip through the whole stack, which is started for it and stopped again."""

import threading
from pathlib import Path

import click

from riffusion.cli.serve import DATA
from riffusion.cli.submit import follow
from riffusion.client import Client
from riffusion.embedded.supervisor import Supervisor
from riffusion.errors import RiffusionError, SetupError
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import get_settings

PROMPT = "funk bassline with a jazzy saxophone solo"


@click.command()
@DATA
def demo(data: Path | None) -> None:
    """Submits a prompt to a service of its own and saves clip.mp3 and clip.png in the current folder."""
    settings = get_settings()
    if data is not None:
        settings = settings.model_copy(update={"data_dir": data})
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    outcome: list[RiffusionError | None] = []
    log_path = settings.data_dir / "demo.log"
    with log_path.open("ab") as log:
        supervisor = Supervisor(settings, port=0, output=log)

        def submit(url: str) -> None:
            try:
                with Client(url) as client:
                    click.echo(f"{url}: {PROMPT}")
                    saved = follow(client.submit(TextToAudio(prompt=PROMPT)), Path(), name="clip")
                    click.echo(f"{saved.audio}\n{saved.image}")  # links would end with the stack
                outcome.append(None)
            except RiffusionError as error:
                outcome.append(error)
            finally:
                supervisor.stop()

        click.echo("Starting Redis, API and worker ...")
        try:
            # In a thread: the supervisor watches its processes meanwhile.
            supervisor.run(ready=lambda url: threading.Thread(target=submit, args=[url], daemon=True).start())
        except SetupError as error:
            raise SetupError(f"{error} What its processes said is in {log_path}.") from error
    if not outcome:
        raise click.Abort
    if outcome[0] is not None:
        raise outcome[0]
