"""Teaches a trained text encoder further words, without changing what it makes of the captions that it knows.

A UNet depends on the embeddings that it was trained with. So captions of known words keep theirs at all positions, and
rewordings of any caption get the caption's own at their padding. New words are learned by what they state.
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from transformers import CLIPTextModel

from riffusion.training.models.text_encoder import SPREAD, TopicHeads, little_padding, padding_state

_RATE = 1e-3
_HEADS_RATE = 5e-3  # they start from nothing
_WINDOW = 16  # batches among whose lessons one batch is chosen
_KEEP, _READ = 20.0, 8.0  # weights of known captions' and of rewordings' embeddings; that of the topics is 1


@dataclass(frozen=True)
class Lessons:
    """Captions and rewordings to learn from, as token ids."""

    captions: torch.Tensor
    """[N, 77]"""
    rewordings: torch.Tensor
    """[N, 77]"""
    targets: torch.Tensor
    """What both state: indices [N, topics]."""
    known: torch.Tensor
    """Whether the encoder knows all words of the caption: flags [N]."""

    def batch(self, rows: torch.Tensor, end: int, *, whole: bool) -> "Lessons":
        """Some of them; unless `whole`, with a few paddings only, for speed."""
        ids = torch.cat([self.captions[rows], self.rewordings[rows]])
        captions, rewordings = (ids if whole else little_padding(ids, end)).chunk(2)
        return Lessons(captions, rewordings, self.targets[rows], self.known[rows])


def extend_text_encoder(
    encoder: CLIPTextModel, lessons: Lessons, *, steps: int, batch: int = 64, seed: int = 0
) -> TopicHeads:
    """Trains the encoder in place; returns the heads, which read the topics from a padding position."""
    rng, end = torch.Generator().manual_seed(seed), int(lessons.captions[0, -1])
    by_length = (lessons.rewordings != end).sum(1).argsort()
    original, heads = deepcopy(encoder).train(False), TopicHeads()
    groups = [
        {"params": [*encoder.parameters()], "lr": _RATE},
        {"params": [*heads.parameters()], "lr": _HEADS_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [_RATE, _HEADS_RATE], total_steps=steps, pct_start=0.1)
    encoder.train()
    for step in range(steps):
        rows = _rows_of_like_length(by_length, batch, rng)
        chosen = lessons.batch(rows, end, whole=step % 8 == 0)
        loss = _loss(encoder, original, heads, chosen, end=end, rng=rng)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    encoder.train(False)
    return heads


def _rows_of_like_length(by_length: torch.Tensor, batch: int, rng: torch.Generator) -> torch.Tensor:
    """Random numbers [batch] of lessons with rewordings of about the same length, so that few paddings are computed."""
    window = min(len(by_length), _WINDOW * batch)
    middle = int(torch.randint(len(by_length), (1,), generator=rng))
    first = max(0, min(middle - window // 2, len(by_length) - window))
    return by_length[first : first + window][torch.randperm(window, generator=rng)[:batch]]


def _loss(
    encoder: CLIPTextModel,
    original: CLIPTextModel,
    heads: TopicHeads,
    lessons: Lessons,
    *,
    end: int,
    rng: torch.Generator,
) -> torch.Tensor:
    """How far the embeddings are from where they belong, and how much of the topics can't be read from them."""
    states, reworded = encoder(torch.cat([lessons.captions, lessons.rewordings])).last_hidden_state.chunk(2)
    with torch.no_grad():
        known = lessons.known[:, None, None]
        goal = torch.where(known, original(lessons.captions).last_hidden_state, states)
    kept = _distance(states, goal, known.expand(*states.shape[:2], 1))
    padding = (lessons.captions == end) & (lessons.rewordings == end)
    read = _distance(reworded, goal, padding[:, :, None])
    topics = sum(
        heads.loss(padding_state(each, ids, end, rng), lessons.targets)
        for each, ids in ((states, lessons.captions), (reworded, lessons.rewordings))
    )
    return _KEEP * kept + _READ * read + topics


def _distance(states: torch.Tensor, goal: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The mean square distance, as a share of their variance, of states [N, L, D] where flags [N, L, 1] are set."""
    squares = ((states - goal) / SPREAD).square().mean(2, keepdim=True)
    return (squares * where).sum() / where.sum().clamp(min=1)
