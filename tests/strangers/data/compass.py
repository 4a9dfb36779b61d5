"""Angles around north."""
import numpy as np

from gen_jax.data import COMMON
from gen_jax.settings import Settings
from gen_jax.types import Source

KIND = "angle"
hp = Settings(__name__, COMMON)


def load(hp, split):
    """48 angles for training, 20 for testing."""
    random = np.random.RandomState(split == "test")
    return Source(random.normal(0, 20, ({"train": 48, "test": 20}[split], 1)).astype(np.float32))
