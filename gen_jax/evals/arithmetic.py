"""Attribute arithmetic: two concept vectors added to unseen images, one by one and together."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.data import Source
from gen_jax.evals.attributes import Judge
from gen_jax.evals.concepts import CONTROLS, EXAMPLES, MOST, concept_faults, concept_vector, parse, random_directions
from gen_jax.evals.draw import image_rows
from gen_jax.evals.trained import Result, Trained

NEEDS = ("encode", "decode")


def evaluate(trained: Trained) -> Iterator[Result]:
    """For the two concepts a, b of evals.arithmetic, the figure "arithmetic" (rows x, x+a, x+b, x+a+b, x-a, x-b) and

    arithmetic/target: share of the test images that show both sources which show both targets after x+a+b,
    arithmetic/rest_changed: how much of the rest changed, the mean over both concepts (Judge.rest_changed),
    and the same two under arithmetic/random_...: after random directions as long as a+b.
    """
    judge = Judge(trained)
    pairs = [parse(concept) for concept in trained.hp.arithmetic]
    a, b = (concept_vector(trained, judge, names) for names in pairs)
    sources = np.logical_and(*(judge.shows(source, trained.test_x, trained.test.labels) for source, _ in pairs))
    codes = trained.test_codes[sources][:MOST]
    if len(codes):
        before = trained.apply("decode", codes)

        def scores(vector):
            x = trained.apply("decode", codes + vector)
            return (np.logical_and(*(judge.shows(target, x) for _, target in pairs)).mean(),
                    np.mean([judge.rest_changed(names, before, x) for names in pairs]))
        controls = random_directions(trained, "arithmetic", a + b, CONTROLS)
        for prefix, values in (("", scores(a + b)), ("random_", np.mean([scores(v) for v in controls], 0))):
            yield f"arithmetic/{prefix}target", float(values[0])
            yield f"arithmetic/{prefix}rest_changed", float(values[1])
    examples = trained.test_codes[:EXAMPLES]
    z = np.stack([examples + shift for shift in (0 * a, a, b, a + b, -a, -b)])
    x = trained.apply("decode", z.reshape(-1, z.shape[-1]))
    one, two = ("→".join(names) for names in pairs)
    yield "arithmetic", image_rows(f"a = {one}, b = {two}", x.reshape(*z.shape[:2], *x.shape[1:]),
                                   ["x", "x + a", "x + b", "x + a + b", "x - a", "x - b"])


def faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line for each fault of evals.arithmetic."""
    if len(config.evals.arithmetic) != 2:
        yield f"evals.arithmetic={config.evals.arithmetic}: must be two concepts, as in ('thin->bold','left->right')"
    for concept in config.evals.arithmetic:
        yield from concept_faults("evals.arithmetic", concept, train)
