"""The values of examples as they are: pixels of an image, coordinates of a point."""
import numpy as np
from ml_collections import ConfigDict

from gen_jax.judges.features import Features
from gen_jax.types import Spec


def features(config: ConfigDict, spec: Spec, hp: ConfigDict) -> Features:
    """x itself, as models see it, flat."""
    def answers(x: np.ndarray) -> tuple[np.ndarray, None]:
        return np.asarray(spec.kind.to_model(x), np.float32).reshape(len(x), -1), None
    return Features("values", answers)
