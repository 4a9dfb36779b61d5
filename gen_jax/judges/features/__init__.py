"""What examples are compared in: each file here is a kind of features, found by its name.

It defines features(config, spec, hp) -> Features, or None after a warning where these data have none, and may define

NEEDS   what it asks of the data, as evals do: "labels", "kind:image"
faults  faults(hp): a line for each of hp's settings that it cannot be made with, before anything is trained

config is the run's, resolved; spec says what its examples are; hp is the section of the eval that asks,
config.evals.quality say. UserError for what the user can mend. A file whose features depend on data, on weights or on
settings has a hash of them in the name.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Features(NamedTuple):
    """A map from examples to vectors."""

    name: str  # "mnist-cnn:1a2b3c": two of one name are the same map
    # x [N,...] as it is stored -> (float32 [N,D], logits float32 [N,K] of a classifier, or None where there is none).
    # One example's do not depend on the others.
    answers: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray | None]]
    official: bool = False  # whether they are those of the original FID: its names are given to no other number
    classes: tuple[str, ...] = ()  # what the logits stand for, where they are known
    accuracy: float | None = None  # of the logits, on test examples, where it is known

    def of(self, x: np.ndarray) -> np.ndarray:
        """The vectors alone, float32 [N,D]."""
        return self.answers(x)[0]
