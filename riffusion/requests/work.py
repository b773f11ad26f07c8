"""The work that a request is, in the quantities that its cost depends on."""

from dataclasses import dataclass

from riffusion.requests.sizes import InputSize


@dataclass(frozen=True)
class DenoisingWork:
    """Pictures of one width that the model denoises side by side."""

    width: int
    """Columns of each."""
    steps: float
    """Denoising steps of each."""
    guided: float
    """Share of the steps in which the UNet runs with and without the prompt, 0 to 1."""
    encoded: int
    """Pictures of this width that are encoded to latents first."""
    pictures: int = 1


@dataclass(frozen=True)
class Work:
    """What has to be done for a request."""

    columns: int
    """Of the picture whose sound is made and written."""
    channels: int
    """Of that sound."""
    analysis: InputSize | None = None
    """Of the sound that is turned into a picture first."""
    denoising: DenoisingWork | None = None
    """None where the diffusion model doesn't run."""
