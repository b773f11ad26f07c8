"""LoRA: small matrices learned beside a checkpoint's weights, added to them while a set is worn.

A layer's weights W become W + Σ scale · up · down (Hu et al., "LoRA", 2021). Changing the weights themselves, rather
than adding a branch to each layer, costs a step nothing, and kernels that were compiled for the model see the change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

Part = Literal["unet", "text_encoder"]


@dataclass(frozen=True, eq=False)
class Factors:
    """What is added to one layer: `up` [out, rank] times `down` [rank, in · kernel], float32 on the model's device."""

    up: Tensor
    down: Tensor


Changes = Mapping[Part, Mapping[str, Factors]]
"""For each part of the model, factors by the name of the weights."""


@dataclass(frozen=True)
class LoraSet:
    """LoRAs that are worn together. Sets of the same files and weights are equal."""

    key: tuple[tuple[str, int, float], ...]
    """Name, time of the file's last change in nanoseconds, and weight of each."""
    changes: Changes = field(compare=False)


class Wardrobe:
    """One part of a model, which wears one set at a time. Not thread-safe."""

    def __init__(self, module: nn.Module, part: Part) -> None:
        self._weights = dict(module.named_parameters())
        self._part = part
        self._bare: dict[str, Tensor] = {}
        self._worn: LoraSet | None = None
        self._changed: set[str] = set()

    @torch.no_grad()
    def wear(self, lora: LoraSet | None) -> None:
        """Gives the module the weights that it has with this set, or, with none, its own: those exactly."""
        if lora == self._worn:
            return
        self._worn = None
        changes = lora.changes[self._part] if lora else {}
        for name in sorted(self._changed - changes.keys()):
            self._weights[name].copy_(self._bare[name])
            self._changed.remove(name)
        for name, factors in changes.items():
            weight = self._weights[name]
            if name not in self._bare:
                self._bare[name] = weight.clone()
            self._changed.add(name)
            torch.add(self._bare[name], (factors.up @ factors.down).view(weight.shape), out=weight)
        self._worn = lora


def combined(loras: Sequence[tuple[Changes, float]]) -> Changes:
    """Several LoRAs and how strong each is, as one: their ranks side by side."""
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
