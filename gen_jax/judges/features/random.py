"""Features of a fixed random network, which need no labels and no training: see gen_jax/judges/random_features.py."""
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.judges import random_features
from gen_jax.judges.features import Features

NEEDS = ("kind:image",)


def features(config: ConfigDict, hp: ConfigDict) -> Features:
    """All of them, [N,450] of grey images; the name has the network's hash."""
    channels = data.load(config.data, "test").x.shape[-1]
    return Features(f"random:{random_features.digest(channels)[:6]}",
                    lambda x: random_features.features(x).astype("float32"))
