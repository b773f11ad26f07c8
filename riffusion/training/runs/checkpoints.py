"""The checkpoints of a training: accelerate's, each whole or not there, with the options that its weights depend on."""

import json
import re
import shutil
from pathlib import Path

from accelerate import Accelerator
from safetensors import SafetensorError

from riffusion.errors import SetupError, StorageUnavailable
from riffusion.training.data.whole_file import publish_folder
from riffusion.training.finetuning.options import Shape

_KEPT = 2
_NAME, _PARTIAL = re.compile(r"checkpoint_[0-9]+"), re.compile(r"[0-9]+\.part")  # other names are somebody else's
_SHAPE_FILE = "options.json"


class Checkpoints:
    """The folders `checkpoint_<step>` of an output folder, of which the last two are kept."""

    def __init__(self, output: Path, shape: Shape, steps: int) -> None:
        """
        Args:
            steps: to train for.

        Raises:
            SetupError: the last checkpoint is of a training with another shape, or of a later step.
        """
        self.folder, self.shape = output / "checkpoints", shape
        if saved := self._saved():
            self._compare(saved[-1])
            if (step := _step_of(saved[-1])) > steps:
                raise SetupError(
                    f"The last checkpoint in {self.folder} is of step {step}, later than --steps {steps}. Give at "
                    "least as many, delete the later checkpoints, or choose another --output."
                )

    def save(self, accelerator: Accelerator, step: int) -> None:
        """Writes a checkpoint; every process does. A kill leaves what there was.

        Raises:
            StorageUnavailable: it can't be written, for example because the disk is full.
        """
        whole, partial = self.folder / f"checkpoint_{step}", self.folder / f"{step}.part"
        if accelerator.is_main_process:
            self._remove_partial()
        accelerator.wait_for_everyone()
        try:
            accelerator.save_state(str(partial))
            accelerator.wait_for_everyone()
            if accelerator.is_main_process:
                (partial / _SHAPE_FILE).write_text(json.dumps(dict(self.shape), indent=1) + "\n")
                publish_folder(partial, whole)
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            last = f"that of step {_step_of(saved[-1])}" if (saved := self._saved()) else "the beginning"
            raise StorageUnavailable(
                f"The checkpoint of step {step} can't be written to {self.folder} ({_first_line(error)}). Make room on "
                f"the disk, or allow writing there; the same command then resumes at {last}."
            ) from error
        if accelerator.is_main_process:
            for old in self._saved()[:-_KEPT]:
                shutil.rmtree(old)

    def load(self, accelerator: Accelerator) -> None:
        """Loads the last checkpoint, if there is one.

        Raises:
            SetupError: it can't be read.
        """
        if not (saved := self._saved()):
            return
        try:
            accelerator.load_state(str(saved[-1]))
        except Exception as error:  # whatever damaged bytes lead to
            then = f"resume at step {_step_of(saved[-2])}" if saved[1:] else "begin again"
            raise SetupError(
                f"The checkpoint {saved[-1]} can't be read ({_first_line(error)}). Delete it to {then}."
            ) from error

    def _saved(self) -> list[Path]:
        """The whole checkpoints, the last one last."""
        names = (path for path in self.folder.glob("checkpoint_*") if _NAME.fullmatch(path.name) and path.is_dir())
        return sorted(names, key=_step_of)

    def _remove_partial(self) -> None:
        """Removes what a killed process left."""
        for path in self.folder.glob("*.part"):
            if _PARTIAL.fullmatch(path.name) and path.is_dir():
                shutil.rmtree(path)

    def _compare(self, saved: Path) -> None:
        try:
            before = json.loads((saved / _SHAPE_FILE).read_text())
        except (OSError, ValueError) as error:
            raise SetupError(
                f"The checkpoint {saved} doesn't say which options it was trained with ({_first_line(error)}). "
                "Delete it, or choose another --output."
            ) from None
        changes = [
            f"{name} was {_text(before.get(name))} and is {_text(self.shape.get(name))}"
            for name in sorted(before.keys() | self.shape)
            if before.get(name) != self.shape.get(name)
        ]
        if changes:
            raise SetupError(
                f"The checkpoints in {self.folder} are of another training: {'; '.join(changes)}. Use the options of "
                "before to resume it, choose another --output, or delete that folder to begin again."
            )


def _step_of(path: Path) -> int:
    return int(path.name.rpartition("_")[2])


def _text(value: object) -> str:
    """An option's value as on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "not set" if value is None else str(value)


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
