"""Linear classifiers that are newly trained on the tagger's features."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

Floats = npt.NDArray[np.float64]
_PENALTY = 1e-2  # times half the squared weights, of features with variance 1: there are more features than clips
_STEPS = 60


def classify(features: Floats, classes: Sequence[str], unknown: Floats) -> list[str]:
    """The classes of unknown features [M, F] by multinomial logistic regression on features [N, F] of known classes."""
    names = sorted(set(classes))
    mean, spread = features.mean(0), features.std(0) + 1e-6
    known = torch.from_numpy((features - mean) / spread)
    labels = torch.tensor([names.index(each) for each in classes])
    weights = torch.zeros(features.shape[1], len(names), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(names), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = F.cross_entropy(known @ weights + bias, labels) + _PENALTY / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return float(value)

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    scores = torch.from_numpy((unknown - mean) / spread) @ weights.detach() + bias.detach()
    return [names[n] for n in scores.argmax(1).tolist()]


def told_apart(these: Floats, those: Floats, folds: int = 6) -> float:
    """How often a classifier finds which of two columns [N, F] a clip is from; 0.5 is chance.

    Clip n of both columns has the same caption; both are in the same fold, so that no caption is trained on and tested.
    """
    right = 0
    for fold in range(folds):
        tested = np.arange(len(these)) % folds == fold
        known = np.concatenate([these[~tested], those[~tested]])
        names = ["these"] * int((~tested).sum()) + ["those"] * int((~tested).sum())
        right += classify(known, names, these[tested]).count("these")
        right += classify(known, names, those[tested]).count("those")
    return right / (2 * len(these))
