"""Samples that compare with given examples one for one, which stand in their place."""
import jax
import numpy as np

from gen_jax.evals import Trained
from gen_jax.types import Source


def stored_like(trained: Trained, key: jax.Array, source: Source, rows: np.ndarray) -> np.ndarray:
    """A sample for each of the rows of source, x [len(rows),...] as it would be stored: the model is given what that
    example is given.

    So the samples have the labels of the examples, in the same shares, where the model conditions on the label. They
    are rounded and clipped as the examples are, so that this tells none from the others.
    """
    given = {name: source.given[name][rows] for name in trained.objective.conditions}
    return trained.spec.kind.to_stored(trained.draw(key, len(rows), given))


def how_many(split: str, num: int) -> dict[str, int | str]:
    """What a protocol says of num "samples", or of as many examples of a split that stand in their place."""
    return {"fake": num} if split == "samples" else {"in_place_of_samples": num, "of_split": split}
