"""Whether a run has what an eval needs."""
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.data import batch_of
from gen_jax.evals._trained import Trained
from gen_jax.find import find

WORDS = {  # what to say where a need is not met; by default "no <need>"
    "other": "needs a second run: --config.evals.other=FOLDER, or =CONFIG to train it",
    "vector": "codes are no vectors", "tiles": "examples are no pictures",
}


def lacks(name: str, trained: Trained) -> str:
    """The first thing of the eval's NEEDS that this run lacks, or ""."""
    needs = getattr(find("evals", name), "NEEDS", ())
    return next((need for need in needs if not _has(trained, need)), "")


def lacking(name: str, trained: Trained) -> str:
    """The same in words."""
    need = lacks(name, trained)
    return need and WORDS.get(need, f"no {need.replace(':', ' ')}")


def _has(trained: Trained, need: str) -> bool:
    what, _, name = need.partition(":")
    if what == "measure":
        return name in _measured(trained)
    if what == "kind":
        return trained.spec.kind.name == name
    return {"labels": trained.test.labels is not None, "other": trained.other is not None,
            "tiles": trained.spec.kind.tile is not None, "vector": what == "vector" and _is_vector(trained),
            }.get(what, what in trained.objective.predict)


def _is_vector(trained: Trained) -> bool:
    """Whether a code is one vector of real numbers."""
    if not {"encode", "sample_prior"} & {*trained.objective.predict}:
        return False
    leaves = jax.tree.leaves(trained.code_shape)
    return len(leaves) == 1 and leaves[0].ndim == 2 and jnp.issubdtype(leaves[0].dtype, jnp.floating)


def _measured(trained: Trained) -> Mapping[str, Any]:
    """Shapes of the terms that the objective measures."""
    keys = jax.random.split(jax.random.key(0), 1)
    return jax.eval_shape(trained.objective.measure, trained.vars, batch_of(trained.test, np.arange(1)), keys)
