"""Features of the project's own classifier of the data set: see gen_jax/judges/classifier.py."""
import re

from absl import logging
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.judges.classifier import classifier, whole
from gen_jax.judges.features import Features
from gen_jax.types import Spec

NEEDS = ("labels", "kind:image")


def features(config: ConfigDict, spec: Spec, hp: ConfigDict) -> Features | None:
    """Its pooled last layer [N,192], and its logits. None where the data set has a single class.

    The name says the data set, and a hash of the weights.
    """
    if len(data.load(whole(config.data), "test").classes) < 2:
        logging.warning("features of a classifier: left out, one of a single class has nothing to learn")
        return None
    judge = classifier(config.data)
    data_set = config.data.dataset if "dataset" in config.data else config.data.name
    name = f"{re.sub('[^A-Za-z0-9.]+', '-', data_set)}-cnn:{judge.key[:6]}"
    return Features(name, judge.answers, classes=judge.classes, accuracy=judge.accuracy)
