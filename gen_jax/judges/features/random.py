"""Features of a fixed random network, which need no labels and no training: see gen_jax/judges/random_features.py."""
from ml_collections import ConfigDict

from gen_jax.judges import random_features
from gen_jax.judges.features import Features
from gen_jax.types import Spec

NEEDS = ("kind:image",)


def features(config: ConfigDict, spec: Spec, hp: ConfigDict) -> Features:
    """All of them, [N,450] of grey images; the name has the network's hash."""
    return Features(f"random:{random_features.digest(spec.x[-1])[:6]}",
                    lambda x: (random_features.features(x).astype("float32"), None))
