"""Attribute arithmetic: two concept vectors added to unseen images, one by one and together."""
from collections.abc import Iterator

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import image_rows
from gen_jax.evals.latent._attributes import Judge, attributes_of
from gen_jax.evals.latent.concepts import (
    CONTROLS,
    EXAMPLES,
    MAX_IMAGES,
    REST,
    class_pair,
    concept_faults,
    concept_vector,
    random_directions,
    wanted_pairs,
)
from gen_jax.settings import Setting, Settings
from gen_jax.types import Metric, Source

NEEDS = ("encode", "decode", "vector", "tiles")
METRICS = {"arithmetic/target": Metric("share", "higher"), "arithmetic/rest_changed": Metric(REST, "lower"),
           "arithmetic/random_target": Metric("share"), "arithmetic/random_rest_changed": Metric(REST)}

hp = Settings(__name__, {
    "pair": Setting((), "two concepts, as evals.concepts has them; (): two attributes of such images, or one and "
                    "two classes", item=str),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """For the two concepts a, b of evals.arithmetic.pair, the figure "arithmetic" (rows x, x+a, x+b, x+a+b, x-a, x-b);

    arithmetic/target: share of the test images that show both sources which show both targets after x+a+b,
    arithmetic/rest_changed: how much of the rest changed, the mean over both concepts (Judge.rest_changed),
    and the same two under arithmetic/random_...: after random directions as long as a+b. Nothing where the data have
    one attribute and no two classes.
    """
    chosen = [*attributes_of(trained.train, trained.spec.kind), *class_pair(trained.train)][:2]
    pairs = wanted_pairs(trained.hp.arithmetic.pair, chosen)
    if len(pairs) < 2:
        logging.warning("arithmetic: left out, it takes two attributes, or one and two classes")
        return
    judge = Judge(trained)
    a, b = (concept_vector(trained, judge, names) for names in pairs)
    sources = np.logical_and(*(judge.shows(source, trained.test_x, trained.test.labels) for source, _ in pairs))
    codes = trained.test_codes[sources][:MAX_IMAGES]
    given = {key: values[sources][:MAX_IMAGES] for key, values in trained.test.given.items()}
    if len(codes):
        before = trained.decode(codes, given)

        def scores(vector):
            x = trained.decode(codes + vector, given)
            return (np.logical_and(*(judge.shows(target, x) for _, target in pairs)).mean(),
                    np.mean([judge.rest_changed(names, before, x) for names in pairs]))
        controls = random_directions(trained, "arithmetic", a + b, CONTROLS)
        for prefix, values in (("", scores(a + b)), ("random_", np.mean([scores(v) for v in controls], 0))):
            about = {"real": len(codes), "real_split": "test"}
            yield f"arithmetic/{prefix}target", Number(float(values[0]), about)
            if np.isfinite(values[1]):
                yield f"arithmetic/{prefix}rest_changed", Number(float(values[1]), about)
    examples = trained.test_codes[:EXAMPLES]
    z = np.stack([examples + shift for shift in (0 * a, a, b, a + b, -a, -b)])
    given = {key: np.concatenate([values[:EXAMPLES]] * len(z)) for key, values in trained.test.given.items()}
    x = trained.spec.kind.tile(trained.decode(z.reshape(-1, z.shape[-1]), given))
    one, two = ("→".join(names) for names in pairs)
    yield "arithmetic", image_rows(x.reshape(*z.shape[:2], *x.shape[1:]),
                                   f"concept vectors added to codes x of test images\na = {one}, b = {two}",
                                   ["x", "x + a", "x + b", "x + a + b", "x - a", "x - b"])


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line for each fault of evals.arithmetic.pair."""
    if len(config.evals.arithmetic.pair) not in (0, 2):
        yield (f"evals.arithmetic.pair={config.evals.arithmetic.pair}: must be two concepts, as in "
               "('thin->bold','left->right')")
    yield from concept_faults("evals.arithmetic.pair", config.evals.arithmetic.pair, train, data.kind(config.data))
