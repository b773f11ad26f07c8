"""What a row is on its way to, for a submitter that shows it while it is painted."""

from torch import Tensor

from riffusion.diffusion.step_batches import StepBatches


class RunningPrediction:
    """A row's latest prediction of its clean latents, the engine's time that the row has cost, and its batches.

    The submitter's thread asks; the engine keeps the prediction of its next step, and hands it over once the device has
    finished that step. So neither thread waits for the other, and what isn't asked for costs nothing.
    """

    def __init__(self) -> None:
        self.work_s = 0.0
        """Seconds of the engine that were the row's: of a step, an equal part for each row in it."""
        self.batches = StepBatches()
        self._asked = False
        self._latents: Tensor | None = None

    def ask(self) -> None:
        """Asks for the prediction of the next step that begins, in place of any that has not been taken."""
        self._latents = None
        self._asked = True

    def take(self) -> Tensor | None:
        """The latents [4, H, W] that were asked for, float32 on the engine's device; None until they are there."""
        latents, self._latents = self._latents, None
        return latents

    def accept(self) -> bool:
        """Whether the engine is to keep the prediction of the step that it takes; called once a step, by its thread."""
        asked, self._asked = self._asked, False
        return asked

    def complete(self, latents: Tensor | None, work_s: float, rows: int) -> None:
        """Called by the engine's thread after each step: the prediction, if it was asked for, and the step's time.

        Args:
            work_s: the row's part of the step's time, which `rows` rows shared.
        """
        self.work_s += work_s
        self.batches.add(rows, work_s * rows)
        if latents is not None:
            self._latents = latents
