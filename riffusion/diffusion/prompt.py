"""Embeddings of prompts: weighted words, texts of any length, and a bounded cache."""

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.metrics import PROMPTS
from riffusion.diffusion.stages import stage
from riffusion.diffusion.streams import PartStream

CHUNK_TOKENS = 77  # of every Stable Diffusion's text encoder, start and end included
MAX_WEIGHT = 2.0
CACHE_BYTES = 64 << 20  # about 500 prompts of Stable Diffusion 1.5 in half precision
_EMPHASIS = 1.1  # the factor of brackets without a number

_TOKEN = re.compile(
    r"""\\(?P<escaped>[()\[\]\\])
      | :\s*(?P<weight>[0-9]{1,6}(?:\.[0-9]{0,6})?)\s*\)
      | (?P<bracket>[()\[\]])
      | [^\\()\[\]:]+
      | .""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Weighted:
    """A piece of a prompt and its weight."""

    text: str
    weight: float
    """From 0, as if the text were absent, to `MAX_WEIGHT`; 1 is neutral."""


def parse_weights(prompt: str) -> list[Weighted]:
    r"""The pieces of a prompt.

    `(words:1.2)` multiplies their weight by 1.2, `(words)` by 1.1, `[words]` divides it by 1.1. Brackets nest; at every
    depth the weight is limited to `MAX_WEIGHT`. `\(`, `\)`, `\[`, `\]` and `\\` are the characters themselves, and so
    is a bracket without its counterpart. Takes linear time at any nesting.
    """
    tokens = list(_TOKEN.finditer(prompt))
    factors = _match_brackets(tokens)
    pieces: list[tuple[list[str], float]] = []
    weights = [1.0]
    for index, token in enumerate(tokens):
        factor = factors.get(index)
        if factor == _CLOSES:
            weights.pop()
        elif factor is not None:
            weights.append(min(MAX_WEIGHT, weights[-1] * factor))
        else:
            if not pieces or pieces[-1][1] != weights[-1]:
                pieces.append(([], weights[-1]))
            pieces[-1][0].append(token["escaped"] or token[0])
    return [Weighted("".join(texts), weight) for texts, weight in pieces]


_CLOSES = -1.0


def _match_brackets(tokens: list[re.Match[str]]) -> dict[int, float]:
    """By the index of each matched bracket: an opening one's factor, or `_CLOSES`."""
    factors: dict[int, float] = {}
    open_brackets: list[int] = []
    for index, token in enumerate(tokens):
        weight, bracket = token["weight"], token["bracket"]
        if bracket in ("(", "["):
            open_brackets.append(index)
        elif weight is not None or bracket in (")", "]"):
            opening = "[" if bracket == "]" else "("
            if not open_brackets or tokens[open_brackets[-1]][0] != opening:
                continue
            plain = _EMPHASIS if opening == "(" else 1 / _EMPHASIS
            factors[open_brackets.pop()] = plain if weight is None else float(weight)
            factors[index] = _CLOSES
    return factors


class PromptEncoder:
    """Embeds prompts with a checkpoint's tokenizer and text encoder. Thread-safe."""

    def __init__(self, checkpoint: Checkpoint, cache_bytes: int = CACHE_BYTES) -> None:
        self._tokenizer = checkpoint.tokenizer
        self._encoder = checkpoint.text_encoder
        self._lora_merger = checkpoint.lora_mergers["text_encoder"]
        self._device = checkpoint.device
        self._stream = PartStream(checkpoint.device)
        self._cache: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._cached = 0
        self._lock = threading.Lock()

    def encode(self, *prompts: str, lora: LoraSet | None = None) -> list[Tensor]:
        """Embeddings [L, D], all of one length L = 77 · chunks, of prompts that are used together.

        A prompt longer than 75 tokens fills several chunks of 77, each encoded by itself. The number of chunks is the
        least power of two that holds the longest prompt; shorter prompts are filled up with the empty prompt's chunks.
        So rows of different lengths can share a batch: repeating the shorter one's chunks doesn't change attention.
        """
        with stage("prompt"), self._lock:
            return self._stream.run(
                lambda: fill_chunks(
                    [self._cached_embeds(prompt, lora) for prompt in prompts], self._cached_embeds("", lora)
                )
            )

    def _cached_embeds(self, prompt: str, lora: LoraSet | None) -> Tensor:
        if lora and not lora.changes["text_encoder"]:
            lora = None  # it changes the UNet alone
        key = prompt, lora.key if lora else ()
        PROMPTS.labels("hit" if key in self._cache else "miss").inc()
        if key not in self._cache:
            self._lora_merger.apply(lora)
            embeds = self._embed(prompt)
            self._cache[key] = embeds
            self._cached += embeds.nbytes
            while self._cached > self._cache_bytes and len(self._cache) > 1:
                _, oldest = self._cache.popitem(last=False)
                self._cached -= oldest.nbytes
        self._cache.move_to_end(key)
        return self._cache[key]

    @torch.inference_mode()
    def _embed(self, prompt: str) -> Tensor:
        """Embeddings [77 · chunks, D]."""
        ids, weights = self.tokens(prompt)
        encoded: Tensor = self._encoder(ids.to(self._device))[0]
        if bool((weights == 1).all()):
            return encoded.flatten(0, 1)
        empty_ids, _ = self._chunked([], [])
        empty: Tensor = self._encoder(empty_ids.to(self._device))[0]
        return weigh(encoded, empty, weights)

    def tokens(self, prompt: str) -> tuple[Tensor, Tensor]:
        """Token ids and weights [chunks, 77] of a prompt."""
        ids: list[int] = []
        weights: list[float] = []
        for piece in parse_weights(prompt):
            found = self._tokenizer(piece.text, add_special_tokens=False, verbose=False).input_ids
            ids += found
            weights += [piece.weight] * len(found)
        return self._chunked(ids, weights)

    def _chunked(self, ids: list[int], weights: list[float]) -> tuple[Tensor, Tensor]:
        """Token ids and weights [chunks, 77], each chunk with its start, end and padding (of weight 1)."""
        room = CHUNK_TOKENS - 2
        begin, end, pad = (
            self._tokenizer.bos_token_id,
            self._tokenizer.eos_token_id,
            self._tokenizer.pad_token_id,
        )
        rows, scales = [], []
        for first in range(0, max(1, len(ids)), room):
            part, scale = ids[first : first + room], weights[first : first + room]
            fill = room - len(part)
            rows.append([begin, *part, end, *[pad] * fill])
            scales.append([1.0, *scale, 1.0, *[1.0] * fill])
        return torch.tensor(rows), torch.tensor(scales)


def weigh(encoded: Tensor, empty: Tensor, weights: Tensor) -> Tensor:
    """Embeddings [77 · chunks, D]: each token's difference from the empty prompt's, scaled by its weight.

    Scaling the difference gives weight 0 a meaning (the empty prompt) and needs no renormalisation.

    Args:
        encoded: [chunks, 77, D].
        empty: the empty prompt's [1, 77, D].
        weights: [chunks, 77].
    """
    return (empty + (encoded - empty) * weights.to(encoded)[:, :, None]).flatten(0, 1)


def fill_chunks(embeds: Sequence[Tensor], empty: Tensor) -> list[Tensor]:
    """Embeddings [77 · chunks, D], filled up with the empty prompt's [77, D] to one power of two of chunks."""
    longest = max(len(each) for each in embeds) // CHUNK_TOKENS
    chunks = 1 << (longest - 1).bit_length()
    return [torch.cat((each, empty.repeat(chunks - len(each) // CHUNK_TOKENS, 1))) for each in embeds]


def stack_embeds(embeds: Sequence[Tensor]) -> Tensor:
    """Embeddings [L, D] of any lengths as one tensor [B, longest L, D].

    Shorter ones are repeated: attention weights k copies of every token by 1/k each, so the result is the same. The
    lengths are powers of two times 77, so the longest is always a multiple of the others.
    """
    longest = max(len(each) for each in embeds)
    return torch.stack([each.repeat(longest // len(each), 1) for each in embeds])
