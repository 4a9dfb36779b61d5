"""Samples that compare with given examples one for one."""
import jax
import numpy as np

from gen_jax.evals import Trained
from gen_jax.types import Source


def draw_like(trained: Trained, key: jax.Array, source: Source, rows: np.ndarray) -> np.ndarray:
    """A sample for each of the rows of source, x [len(rows),...]: the model is given what that example is given.

    So the samples have the labels of the examples, in the same shares, where the model conditions on the label.
    """
    given = {name: source.given[name][rows] for name in trained.objective.conditions}
    return trained.draw(key, len(rows), given)
