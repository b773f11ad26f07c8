"""Linear classifiers that are newly trained on the tagger's features."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_PENALTY = 0.1  # of ridge regression, where a clip's features have a mean square of 1


def classify(features: Floats, classes: Sequence[str], unknown: Floats) -> list[str]:
    """The classes of unknown features [M, F], by ridge regression from known features [N, F] to one-hot classes.

    It is solved in its dual form, since there are more features than clips.
    """
    names = sorted(set(classes))
    targets = np.array([[each == name for name in names] for each in classes], np.float64)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    known, asked = (features - mean) / spread, (unknown - mean) / spread
    kernel = known @ known.T / features.shape[1]
    weights = np.linalg.solve(kernel + _PENALTY * np.eye(len(known)), targets - targets.mean(0))
    scores = asked @ known.T / features.shape[1] @ weights + targets.mean(0)
    return [names[n] for n in scores.argmax(1)]


def separability(these: Floats, those: Floats, folds: int = 6) -> float:
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
