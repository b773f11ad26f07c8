"""What a client asks of the model, with the names and defaults of the original's model at Replicate."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from api.compatibility.inference_input import InferenceInput, Loose, PromptInput
from riffusion.requests import AnyRequest, ModelCard
from riffusion.requests.fields import Denoising, Float, Int, Text

SEED = 42
"""The original's for every prediction: the same input makes the same clip."""


class PredictionInput(Loose):
    """The input of a prediction; everything may be left out."""

    prompt_a: Text = Field(default="funky synth solo", description="What to play.")
    prompt_b: Text = Field(default="", description="What to go to; left out, the clip stays with `prompt_a`.")
    alpha: Annotated[Float, Field(ge=0, le=1)] = Field(
        default=0.5, description="How far the clip lies on the way from `prompt_a` to `prompt_b`."
    )
    denoising: Denoising = 0.75
    num_inference_steps: Annotated[Int, Field(ge=1, le=10_000)] = Field(
        default=50, description="Denoising steps, as far as the server's quality has so many."
    )
    seed_image_id: str = Field(
        default="vibes",
        max_length=64,
        description="What it sounds like at first: og_beat, agile, marim, motorway, vibes, or one of `GET /seeds`.",
    )

    def request(self, card: ModelCard, seed_dir: Path | None) -> AnyRequest:
        """The request that it stands for.

        Args:
            seed_dir: the operator's seed images.

        Raises:
            InvalidRequest: the seed image's id is no name.
        """
        start, end = (
            PromptInput(prompt=prompt, seed=SEED, denoising=self.denoising)
            for prompt in (self.prompt_a, self.prompt_b or self.prompt_a)
        )
        inference = InferenceInput(
            start=start,
            end=end,
            alpha=self.alpha if self.prompt_b else 0,
            num_inference_steps=self.num_inference_steps,
            seed_image_id=self.seed_image_id,
        )
        return inference.request("standard", card, seed_dir)
