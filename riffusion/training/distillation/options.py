"""The options of a distillation."""

from dataclasses import dataclass

from riffusion.errors import SetupError
from riffusion.training.finetuning.options import Shape, TrainingOptions


@dataclass(frozen=True, kw_only=True)
class DistillOptions(TrainingOptions):
    """Options of a distillation on `data`: a folder of audio, a file of captions, or a folder of `train tiny`.

    Raises:
        SetupError: the student's steps don't divide the teacher's.
    """

    rank: int = 32
    """Of the LoRA matrices."""
    batch: int = 8
    """Of the student's steps, per batch and process."""
    checkpoint_every: int = 250
    sample_every: int = 250
    guidance: float | None = None
    """The teacher's, which becomes part of the weights; None is the checkpoint's own."""
    teacher_steps: int = 20
    """Of DPM++ 2M, in a full run."""
    student_steps: int = 4
    """Of Euler with trailing timesteps, in a full run."""
    trajectories: int = 2048
    """Of the teacher, to learn from; rounded down to a multiple of 16, but at least 16."""
    judged: int = 0
    """Captions of the composer whose clips are judged at each sampling; for models that were trained on its music."""

    def __post_init__(self) -> None:
        if self.student_steps >= self.teacher_steps or self.teacher_steps % self.student_steps:
            raise SetupError(
                f"Each of the student's steps has to be several whole ones of the teacher's: {self.student_steps} "
                f"steps don't divide {self.teacher_steps}. Change --student-steps or --teacher-steps."
            )

    @property
    def shape(self) -> Shape:
        """What has to be the same again to resume, beside the teacher's guidance."""
        steps = {"--teacher-steps": self.teacher_steps, "--student-steps": self.student_steps}
        return {**super().shape, **steps}

    @property
    def jump(self) -> int:
        """Steps of the teacher that are one of the student."""
        return self.teacher_steps // self.student_steps
