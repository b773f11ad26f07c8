"""An exponential moving average of weights, used for sampling and export."""

from collections.abc import Iterable

import torch
from torch import nn


class WeightAverage:
    """Averages a model's parameters. Early on it decays faster, so that the random initial weights don't persist."""

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float = 0.9995) -> None:
        """
        Args:
            decay: share of the average, 0 to 1, that a step keeps; the first steps keep (1 + n) / (10 + n).
        """
        self.decay = decay
        self.updates = 0
        self.shadow = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self, parameters: Iterable[nn.Parameter], steps: int = 1) -> None:
        """Moves the average towards the current values by as much as `steps` single updates would."""
        self.updates += steps
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) ** steps
        torch._foreach_lerp_(self.shadow, [parameter.detach() for parameter in parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[nn.Parameter]) -> None:
        """Overwrites the parameters with the average."""
        for parameter, average in zip(parameters, self.shadow, strict=True):
            parameter.copy_(average)

    def state_dict(self) -> dict[str, object]:
        """The state from which `load_state_dict` resumes exactly."""
        return {"updates": self.updates, "shadow": self.shadow}

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Resumes from a saved state.

        Raises:
            TypeError: it isn't the state of a weight average.
        """
        updates, shadow = state["updates"], state["shadow"]
        if not isinstance(updates, int) or not isinstance(shadow, list):
            raise TypeError("This is not the state of a weight average.")
        self.updates = updates
        for own, saved in zip(self.shadow, shadow, strict=True):
            own.copy_(saved)  # which may be on another device
