"""Pretrains a small CLIP text encoder on captions alone, before any picture is involved.

Trained from scratch together with the UNet, the encoder collapses: padded to 77 tokens, every prompt looks the same. So
it is first trained to hold a caption's facts (kind, genre, lead, tempo, …) in its hidden states, and then frozen.
"""

from collections.abc import Sequence
from random import Random

import torch
import torch.nn.functional as F
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from riffusion.training.data.captions import Stated
from riffusion.training.data.keys import KEYS
from riffusion.training.data.music import GENRES, INSTRUMENTS, KINDS, MOODS, SPEEDS, TEMPI
from riffusion.training.models.tokenizer import MAX_TOKENS

WIDTH = 128
SPREAD = 0.3  # standard deviation of the hidden states, with which the UNet's cross-attention starts well

_Value = str | float | None
# None, for what a caption doesn't state, is a class of its own.
TOPICS: dict[str, tuple[_Value, ...]] = {
    "kind": (None, *KINDS),
    "genre": (None, *(genre.name for genre in GENRES)),
    "lead": (None, *(instrument.name for instrument in INSTRUMENTS)),
    "bpm": (None, *TEMPI),
    "speed": (None, *SPEEDS),
    "mood": (None, *MOODS),
    "drums": (None, True, False),
    "key": (None, *KEYS),
}


def new_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """An untrained encoder for the tokenizer's vocabulary."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=MAX_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def token_ids(tokenizer: CLIPTokenizer, texts: Sequence[str]) -> torch.Tensor:
    """Token ids [N, 77], padded and truncated as in Stable Diffusion."""
    batch = tokenizer(list(texts), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt")
    ids: torch.Tensor = batch.input_ids
    return ids


def topic_targets(stated: Sequence[Stated]) -> torch.Tensor:
    """What each caption states, as indices [N, topics] into the values of `TOPICS`."""
    return torch.tensor([[values.index(getattr(each, topic)) for topic, values in TOPICS.items()] for each in stated])


class TopicHeads(nn.Module):
    """Classifiers of the topics from hidden states; discarded after the pretraining."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList([nn.Linear(WIDTH, len(values)) for values in TOPICS.values()])

    def loss(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of hidden states [N, WIDTH] against targets [N, topics], summed over the topics."""
        losses = [F.cross_entropy(head(hidden), targets[:, n]) for n, head in enumerate(self.heads)]
        return torch.stack(losses).sum()


def pretrain_text_encoder(
    encoder: CLIPTextModel,
    ids: torch.Tensor,
    targets: torch.Tensor,
    *,
    steps: int = 1500,
    batch: int = 128,
    seed: int = 0,
) -> TopicHeads:
    """Trains the encoder in place on token ids [N, 77] and targets [N, topics]; returns the heads.

    The UNet attends to all 77 positions, most of which are padding. So the heads read a random padding position, and
    every one of them learns to hold the whole caption.
    """
    rng, end = torch.Generator().manual_seed(seed), int(ids[0, -1])  # every caption is padded with the end token
    heads = TopicHeads()
    optimizer = torch.optim.AdamW([*encoder.parameters(), *heads.parameters()], lr=1.5e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, total_steps=steps, pct_start=0.1)
    encoder.train()
    for step in range(steps):
        rows = torch.randint(len(ids), (batch,), generator=rng)
        chosen = ids[rows] if step % 4 == 0 else little_padding(ids[rows], end)
        states = encoder(chosen).last_hidden_state
        hidden = padding_state(states, chosen, end, rng)
        loss = heads.loss(hidden, targets[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    _set_spread(encoder, ids[:256], heads)
    return heads


def little_padding(ids: torch.Tensor, end: int) -> torch.Tensor:
    """The ids [N, L] with a few paddings only, for speed: with causal attention, the states before are the same."""
    return ids[:, : int((ids != end).sum(1).max()) + 6]


def padding_state(states: torch.Tensor, ids: torch.Tensor, end: int, rng: torch.Generator) -> torch.Tensor:
    """The states [N, WIDTH], of [N, L, WIDTH], at a random position from each caption's end token on."""
    lengths = (ids != end).sum(1)
    spare = ids.shape[1] - lengths
    places = lengths + (torch.rand(len(ids), generator=rng) * spare).long()
    return states[torch.arange(len(ids)), places]


@torch.no_grad()
def _set_spread(encoder: CLIPTextModel, ids: torch.Tensor, heads: TopicHeads) -> None:
    """Scales the last layer norm so that hidden states deviate by `SPREAD`, and the heads inversely; ids [N, 77]."""
    encoder.train(False)
    factor = SPREAD / float(encoder(ids).last_hidden_state.std())
    encoder.final_layer_norm.weight.mul_(factor)
    encoder.final_layer_norm.bias.mul_(factor)
    for head in heads.heads:
        head.weight.div_(factor)  # type: ignore[operator]


def with_noise_words(text: str, rng: Random) -> str:
    """The caption with a random word inserted, so that the encoder learns to ignore unknown words."""
    words = text.split(" ")
    letters = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))
    words.insert(rng.randint(0, len(words)), letters)
    return " ".join(words)


@torch.no_grad()
def encode_prompt(encoder: CLIPTextModel, ids: torch.Tensor) -> torch.Tensor:
    """Embeddings [N, 77, WIDTH] of token ids [N, 77]: the hidden states that the UNet attends to."""
    prompt_embeds: torch.Tensor = encoder(ids).last_hidden_state
    return prompt_embeds
