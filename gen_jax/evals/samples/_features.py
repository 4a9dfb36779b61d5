"""The features that an eval's settings name."""
from collections.abc import Iterator, Sequence

import numpy as np
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import find
from gen_jax.types import Spec


def lacking(name: str, spec: Spec) -> str:
    """The first of what features need that data of this spec do not have, or ""."""
    return next((need for need in getattr(find("judges.features", name), "NEEDS", ()) if not data.has(spec, need)), "")


def feature_faults(name: str, spec: Spec, own: ConfigDict, advice: str) -> Iterator[str]:
    """A line where there are no such features, these data do not have them, or they cannot be made.

    own: the eval's section. advice: what to do where the data do not have them.
    """
    try:
        lacks = lacking(name, spec)
    except UserError as error:
        yield from (f"evals.{own.name}.features: {line}" for line in error.faults)
        return
    if lacks:
        yield f"evals.{own.name}.features: {name} needs {lacks}, which these data do not have; {advice}"
    else:
        yield from getattr(find("judges.features", name), "faults", lambda hp: ())(own)


def in_features(name: str, trained: Trained, own: ConfigDict, stored: Sequence[np.ndarray]
                ) -> tuple[str, list[np.ndarray]] | None:
    """(the features' full name, examples [N,D] in them) of examples [N,...] as stored; None where these have none.

    own: the eval's section.
    """
    features = find("judges.features", name).features(trained.config, trained.spec, own)
    return features and (features.name, [features.of(x) for x in stored])
