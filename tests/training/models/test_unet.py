"""The bundled model's UNet and its loss."""

import torch

from riffusion.training.models.text_encoder import WIDTH
from riffusion.training.models.unet import LATENT_SHAPE, new_unet, noise_schedule, velocity_loss


def test_is_stable_diffusions_class_and_small_enough() -> None:
    unet = new_unet()
    assert unet.config.in_channels == unet.config.out_channels == 4
    assert sum(weight.numel() for weight in unet.parameters()) * 2 < 17 * 2**20


def test_a_perfect_prediction_has_no_loss() -> None:
    latents, prompt_embeds = torch.randn(2, *LATENT_SHAPE), torch.zeros(2, 77, WIDTH)
    schedule = noise_schedule()

    def oracle(noisy: torch.Tensor, timesteps: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor]:
        kept = schedule.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        noise = (noisy - kept.sqrt() * latents) / (1 - kept).sqrt()
        return (kept.sqrt() * noise - (1 - kept).sqrt() * latents,)

    loss = velocity_loss(oracle, schedule, latents, prompt_embeds, torch.Generator().manual_seed(0), bf16=False)
    assert float(loss) < 1e-6
