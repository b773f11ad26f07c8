"""An exponential moving average of weights: what is sampled from and shipped."""

from collections.abc import Iterable

import torch
from torch import nn


class WeightAverage:
    """Averages a model's parameters; early steps are forgotten faster, so that the random start doesn't linger."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float = 0.9995) -> None:
        self.decay = decay
        self.updates = 0
        self.shadow = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, parameters: Iterable[nn.Parameter], steps: int = 1) -> None:
        """Moves towards the current values as `steps` optimizer steps do."""
        self.updates += steps
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) ** steps
        torch._foreach_lerp_(self.shadow, [parameter.detach() for parameter in parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[nn.Parameter]) -> None:
        """Overwrites the parameters with the average."""
        for parameter, average in zip(parameters, self.shadow, strict=True):
            parameter.copy_(average)

    def state_dict(self) -> dict[str, object]:
        """What `load_state_dict` needs to go on exactly."""
        return {"updates": self.updates, "shadow": self.shadow}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Goes on from a saved state."""
        updates, shadow = state["updates"], state["shadow"]
        if not isinstance(updates, int) or not isinstance(shadow, list):
            raise TypeError("not the state of a weight average")
        self.updates, self.shadow = updates, shadow
