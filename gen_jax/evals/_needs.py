"""Whether a run has what an eval needs."""
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gen_jax import data
from gen_jax.evals._trained import Trained
from gen_jax.find import find
from gen_jax.types import Batch


class Need(NamedTuple):
    """What an eval can need of a run."""

    has: Callable[[Trained, str], bool]  # (run, its name) -> whether the run has it
    lacking: str  # what a person reads where it has not, with {} for its name


def lacks(needs: Iterable[str], trained: Trained) -> str:
    """The first of an eval's NEEDS that this run lacks, or ""."""
    return next((need for need in needs if not _has(trained, need)), "")


def in_words(need: str) -> str:
    """What a person reads where a run lacks a need."""
    known, name = _known(need)
    return known.lacking.format(name)


def needs(name: str) -> tuple[str, ...]:
    """The NEEDS of an eval by its name."""
    return getattr(find("evals", name), "NEEDS", ())


def _known(need: str) -> tuple[Need, str]:
    """What is known of a need, and its name: "kl" of "measure:kl". A word that NEEDS does not have is of predict."""
    what, _, name = need.partition(":")
    return NEEDS.get(what, Need(_predicts, "this run's objective does not give {}")), name or what


def _has(trained: Trained, need: str) -> bool:
    known, name = _known(need)
    return known.has(trained, name)


def _predicts(trained: Trained, name: str) -> bool:
    return name in trained.objective.predict


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


NEEDS = {
    "sample_prior": Need(_predicts, "this run's objective cannot draw samples"),
    "encode": Need(_predicts, "this run's objective has no way from examples to codes"),
    "decode": Need(_predicts, "this run's objective has no way from codes to examples"),
    "posterior": Need(_predicts, "this run's objective gives an example no distribution of codes"),
    "log_weight": Need(_predicts, "this run's objective is no bound on the likelihood"),
    "measure": Need(lambda trained, name: name in _measured(trained), "this run's objective does not measure {}"),
    "conditions": Need(lambda trained, name: name in trained.objective.conditions,
                       "this run's model is not given the {}"),
    "kind": Need(lambda trained, name: data.has(trained.spec, f"kind:{name}"), "this run's data are not of kind {}"),
    "labels": Need(lambda trained, _: data.has(trained.spec, "labels"), "this run's data have no labels"),
    "tiles": Need(lambda trained, _: data.has(trained.spec, "tiles"), "this run's examples are no pictures"),
    "vector": Need(lambda trained, _: _is_vector(trained), "this run's codes are no vectors"),
    "other": Need(lambda trained, _: trained.other is not None,
                  "there is no second run: --config.evals.other=FOLDER names one; --mode=train also takes a config "
                  "there, and trains it first"),
}
