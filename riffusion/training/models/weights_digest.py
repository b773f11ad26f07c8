"""Which weights a checkpoint has."""

import hashlib

import torch
from torch import nn

from riffusion.diffusion.checkpoint import Checkpoint


def weights_digest(*modules: nn.Module) -> str:
    """A digest of all weights of the modules, by name, and of their types."""
    found = hashlib.blake2b(digest_size=16)  # faster than SHA-256 where the processor has no instructions for that
    for module in modules:
        for name, weight in module.state_dict().items():
            found.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
            found.update(weight.cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return found.hexdigest()


def checkpoint_digest(checkpoint: Checkpoint) -> str:
    """A digest of the weights of all three parts, and of the noise schedule."""
    weights = weights_digest(checkpoint.unet, checkpoint.text_encoder, checkpoint.vae)
    return hashlib.sha256(f"{weights} {sorted(checkpoint.scheduler_config.items())}".encode()).hexdigest()[:32]
