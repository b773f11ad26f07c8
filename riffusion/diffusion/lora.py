"""LoRA: low-rank matrices learned beside a checkpoint's weights, merged into them while a set is applied.

A layer's weights W become W + Σ scale · up · down (Hu et al., "LoRA", 2021). Changing the weights themselves, rather
than adding a branch to each layer, costs a step nothing, and kernels that were compiled for the model see the change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from riffusion.diffusion.streams import record_use

Part = Literal["unet", "text_encoder"]


@dataclass(frozen=True, eq=False)
class Factors:
    """The two factors of what is added to one layer's weights, float32 on the model's device."""

    up: Tensor
    """[out, rank]."""
    down: Tensor
    """[rank, in · kernel]."""


Changes = Mapping[Part, Mapping[str, Factors]]
"""For each part of the model, factors by the name of the weights."""


@dataclass(frozen=True)
class LoraSet:
    """LoRAs that are applied together. Sets of the same files and weights are equal."""

    key: tuple[tuple[str, int, float], ...]
    """Name, time of the file's last change in nanoseconds, and weight of each."""
    changes: Changes = field(compare=False)
    """The factors of all of them, each scaled by its weight."""


class LoraMerger:
    """Merges one LoRA set at a time into the weights of one part of a model. Not thread-safe."""

    def __init__(self, module: nn.Module, part: Part) -> None:
        self._weights = dict(module.named_parameters())
        self._part = part
        self._base: dict[str, Tensor] = {}
        self._applied: LoraSet | None = None
        self._changed: set[str] = set()

    @torch.no_grad()
    def apply(self, lora: LoraSet | None) -> None:
        """Sets the module's weights to its base weights plus this set; with none, to exactly the base weights."""
        if lora == self._applied:
            return
        self._applied = None
        changes = lora.changes[self._part] if lora else {}
        for name in sorted(self._changed - changes.keys()):
            self._weights[name].copy_(self._base[name])
            self._changed.remove(name)
        for name, factors in changes.items():
            weight = self._weights[name]
            record_use((factors.up, factors.down))
            if name not in self._base:
                self._base[name] = weight.clone()
            self._changed.add(name)
            torch.add(self._base[name], (factors.up @ factors.down).view(weight.shape), out=weight)
        self._applied = lora


def combine(loras: Sequence[tuple[Changes, float]]) -> Changes:
    """Several LoRAs, each scaled by its weight, as one whose rank is the sum of theirs."""
    if len(loras) == 1 and loras[0][1] == 1:
        return loras[0][0]
    together: dict[Part, dict[str, Factors]] = {"unet": {}, "text_encoder": {}}
    for part, layers in together.items():
        for name in dict.fromkeys(name for changes, _ in loras for name in changes[part]):
            pairs = [(changes[part][name], weight) for changes, weight in loras if name in changes[part]]
            layers[name] = Factors(
                torch.cat([factors.up * weight for factors, weight in pairs], dim=1),
                torch.cat([factors.down for factors, _ in pairs]),
            )
    return together
