"""Points on two crescents."""
import numpy as np

from gen_jax.data import COMMON, labelled
from gen_jax.settings import Setting, Settings

KIND = "points"
hp = Settings(__name__, {**COMMON, "radius": Setting(1.0, "of the crescents")})


def load(hp, split):
    """48 points for training, 20 for testing."""
    random, num = np.random.RandomState(split == "test"), {"train": 48, "test": 20}[split]
    labels, turn = random.randint(2, size=num).astype(np.int32), np.pi * random.uniform(size=num)
    x = np.stack([np.cos(turn) + labels, np.sin(turn) * (1 - 2 * labels)], 1) * hp.radius
    return labelled(x.astype(np.float32), labels, ("upper", "lower"))
