"""What examples are compared in: each file here is a kind of features, found by its name.

It defines features(config, hp) -> Features, or None after a warning where these data have none, and may define

NEEDS   what it asks of the data, as evals do: "labels", "kind:image"
faults  faults(hp): a line for each of hp's settings that it cannot be made with, before anything is trained

config is the run's, resolved; hp is the section of the eval that asks, config.evals.quality say. UserError for what the
user can mend. A file whose features depend on data, on weights or on settings has a hash of them in the name.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Features(NamedTuple):
    """A map from examples to vectors. x: [N,...] as models see it (images: float32 in [0,1]), or as it is stored."""

    name: str  # "mnist-cnn:1a2b3c": two of one name are the same map
    of: Callable[[np.ndarray], np.ndarray]  # x -> float32 [N,D]; one example's do not depend on the others
    logits: Callable[[np.ndarray], np.ndarray] | None = None  # x -> float32 [N,K] of a classifier, where there is one
    official: bool = False  # whether they are those of the original FID: its names are given to no other number
    classes: tuple[str, ...] = ()  # what the logits stand for, where they are known
    accuracy: float | None = None  # of the logits, on test examples, where it is known
