"""Features of the project's own classifier of the data set: see gen_jax/judges/classifier.py."""
import re

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax.judges.classifier import classifier
from gen_jax.judges.features import Features

NEEDS = ("labels", "kind:image")


def features(config: ConfigDict, hp: ConfigDict) -> Features | None:
    """Its pooled last layer [N,192], and its logits. None where the data set has a single class.

    The name says the data set, and a hash of the data, the net and how it is trained.
    """
    judge = classifier(config.data)
    if len(judge.classes) < 2:
        logging.warning("features of a classifier: left out, one of a single class has nothing to learn")
        return None
    answers = {}  # to the examples that were asked for last: logits are asked for after features

    def answer(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if answers.get("x") is not x:
            answers.update(x=x, logits_and_features=judge.both(x))
        return answers["logits_and_features"]
    data_set = config.data.dataset if "dataset" in config.data else config.data.name
    name = f"{re.sub('[^A-Za-z0-9.]+', '-', data_set)}-cnn:{judge.key[:6]}"
    return Features(name, lambda x: answer(x)[1], lambda x: answer(x)[0], classes=judge.classes,
                    accuracy=judge.accuracy)
