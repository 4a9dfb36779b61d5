"""Attribute arithmetic: two concept vectors added to unseen images, one by one and together."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import image_rows
from gen_jax.evals.latent._attributes import Judge, concepts_of
from gen_jax.evals.latent.concepts import (
    CONTROLS,
    EXAMPLES,
    MAX_IMAGES,
    concept_faults,
    concept_vector,
    parse,
    random_directions,
)
from gen_jax.settings import Setting, Settings
from gen_jax.types import Metric, Source

NEEDS = ("encode", "decode", "vector", "tiles")
METRICS = {"arithmetic/*target": Metric("share", "higher"),
           "arithmetic/*rest_changed": Metric("standard deviations; of attributes, share", "lower")}

hp = Settings(__name__, {
    "pair": Setting((), "two concepts, as evals.concepts has them; (): two attributes of such images", item=str),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """For the two concepts a, b of evals.arithmetic.pair, the figure "arithmetic" (rows x, x+a, x+b, x+a+b, x-a, x-b);

    arithmetic/target: share of the test images that show both sources which show both targets after x+a+b,
    arithmetic/rest_changed: how much of the rest changed, the mean over both concepts (Judge.rest_changed),
    and the same two under arithmetic/random_...: after random directions as long as a+b.
    """
    judge = Judge(trained)
    pairs = [parse(concept) for concept in trained.hp.arithmetic.pair or concepts_of(trained.train)[:2]]
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
            yield f"arithmetic/{prefix}target", float(values[0])
            yield f"arithmetic/{prefix}rest_changed", float(values[1])
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
    for concept in config.evals.arithmetic.pair:
        yield from concept_faults("evals.arithmetic.pair", concept, train)
