"""Whether a run has what an eval needs."""
from collections.abc import Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gen_jax import data
from gen_jax.evals._trained import Trained
from gen_jax.find import find
from gen_jax.types import Batch

WORDS = {  # what to say where a need is not met; by default "no <need>"
    "other": "no second run: name one, --config.evals.other=FOLDER, or =CONFIG, which is trained first",
    "vector": "codes are no vectors", "tiles": "examples are no pictures",
}


def lacks(needs: Iterable[str], trained: Trained) -> str:
    """The first of an eval's NEEDS that this run lacks, or ""."""
    return next((need for need in needs if not _has(trained, need)), "")


def in_words(need: str) -> str:
    """What is said where a run lacks a need."""
    return WORDS.get(need, f"no {need.replace(':', ' ')}")


def needs(name: str) -> tuple[str, ...]:
    """The NEEDS of an eval by its name."""
    return getattr(find("evals", name), "NEEDS", ())


def _has(trained: Trained, need: str) -> bool:
    what, _, name = need.partition(":")
    if what == "measure":
        return name in _measured(trained)
    if (known := data.has(trained.spec, need)) is not None:
        return known
    return {"other": trained.other is not None, "vector": what == "vector" and _is_vector(trained),
            }.get(what, what in trained.objective.predict)


def _is_vector(trained: Trained) -> bool:
    """Whether a code is one vector of real numbers."""
    if not {"encode", "sample_prior"} & {*trained.objective.predict}:
        return False
    leaves = jax.tree.leaves(trained.code_shape)
    return len(leaves) == 1 and leaves[0].ndim == 2 and jnp.issubdtype(leaves[0].dtype, jnp.floating)


def _measured(trained: Trained) -> Mapping[str, Any]:
    """Shapes of the terms that the objective measures."""
    batch = Batch(jax.ShapeDtypeStruct((1, *trained.spec.x), trained.spec.dtype), trained.spec.given)
    return jax.eval_shape(trained.objective.measure, trained.vars, batch, jax.random.split(jax.random.key(0), 1))
