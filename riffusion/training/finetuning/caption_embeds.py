"""Embeddings of captions, made as a worker makes those of prompts: in chunks of any number, brackets as weights."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.prompt import PromptEncoder, fill_chunks, stack_embeds, weigh

EncodeCaptions = Callable[[Sequence[str]], Tensor]
"""Embeddings [N, L, D] of captions, L = 77 times the longest one's chunks."""


def cached_embeds(checkpoint: Checkpoint, captions: Iterable[str]) -> EncodeCaptions:
    """Encodes these captions once, moves the text encoder off the device, and keeps the embeddings in main memory."""
    encoder = PromptEncoder(checkpoint, cache_bytes=0)
    embeds = {caption: encoder.encode(caption)[0].cpu() for caption in dict.fromkeys(captions)}
    checkpoint.text_encoder.cpu()
    return lambda captions: stack_embeds([embeds[caption] for caption in captions]).to(checkpoint.device)


def trained_embeds(checkpoint: Checkpoint, text_encoder: nn.Module) -> EncodeCaptions:
    """Encodes with the current weights of a text encoder in training, in one call, with gradients.

    Args:
        text_encoder: the checkpoint's, as accelerate wraps it.
    """
    prompts = PromptEncoder(checkpoint, cache_bytes=0)

    def encode(captions: Sequence[str]) -> Tensor:
        tokens = [prompts.tokens(caption) for caption in ("", *captions)]
        ids = torch.cat([ids for ids, _ in tokens]).to(checkpoint.device)
        empty, *encoded = text_encoder(ids)[0].split([len(ids) for ids, _ in tokens])
        embeds = [weigh(each, empty, weights) for each, (_, weights) in zip(encoded, tokens[1:], strict=True)]
        return stack_embeds([fill_chunks([each], empty[0])[0] for each in embeds])

    return encode
