"""The values of examples as they are: pixels of an image, coordinates of a point."""
import numpy as np
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.judges.features import Features


def features(config: ConfigDict, hp: ConfigDict) -> Features:
    """x itself, as models see it, flat."""
    to_model = data.kind(config.data).to_model

    def of(x: np.ndarray) -> np.ndarray:
        return np.asarray(to_model(x) if x.dtype == np.uint8 else x, np.float32).reshape(len(x), -1)
    return Features("values", of)
