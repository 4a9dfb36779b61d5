"""A 'model' whose samples are planted, as evals see a trained one."""
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from configs import base
from gen_jax import data
from gen_jax.evals import Trained
from gen_jax.find import find
from gen_jax.parts import complete
from gen_jax.types import Objective, Source


def planted(samples: np.ndarray, splits: data.Splits, hp, given: Sequence[str] = ()) -> Trained:
    """A run on these data whose sample number i is samples[i].

    hp: config.data. given: what the model conditions on; it does not look at it.
    """
    config = base.get_config()
    config.data = hp
    table = jnp.asarray(samples)
    predict = {"sample_prior": lambda vars, key, num, given: jnp.arange(num) % len(table),
               "decode": lambda vars, code, given: table[code]}
    objective = Objective({}, {}, (), lambda *args: {}, predict, tuple(given))
    return Trained(config, objective, data.spec(splits.train, data.kind(hp)), None, splits, [])


def splits_of(train: Source, test: Source) -> data.Splits:
    """These data as evals have them."""
    return data.Splits({"train": train, "test": test}.get)


def measured(name: str, trained: Trained) -> dict:
    """What an eval says of a run: numbers without their protocol, and sentences."""
    complete(trained.config, (name,))
    return {what: getattr(value, "value", value) for what, value in find("evals", name).evaluate(trained)}
