"""Attribute arithmetic: two concept vectors added to unseen images, one by one and together."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals.attributes import Judge
from gen_jax.evals.concepts import EXAMPLES, MOST, concept_vector, parse, random_directions
from gen_jax.evals.draw import image_rows
from gen_jax.evals.trained import Result, Trained

NEEDS = ("encode", "decode")


def evaluate(trained: Trained) -> Iterator[Result]:
    """For the two concepts a, b of evals.arithmetic, the figure "arithmetic" (rows x, x+a, x+b, x+a+b, x-a, x-b) and

    arithmetic/target: share of the test images that show both sources which show both targets after x+a+b,
    arithmetic/random_target: the same after a random direction as long as a+b.
    """
    judge = Judge(trained)
    pairs = [parse(concept) for concept in trained.hp.arithmetic]
    a, b = (concept_vector(trained, judge, names) for names in pairs)
    sources = np.logical_and(*(judge.shows(source, trained.test_x, trained.test.labels) for source, _ in pairs))
    codes = trained.test_codes[sources][:MOST]
    if len(codes):
        def share(vector):
            x = trained.apply("decode", codes + vector)
            return float(np.logical_and(*(judge.shows(target, x) for _, target in pairs)).mean())
        yield "arithmetic/target", share(a + b)
        yield "arithmetic/random_target", float(np.mean([share(v) for v in random_directions(trained, a + b, 5)]))
    examples = trained.test_codes[:EXAMPLES]
    z = np.stack([examples + shift for shift in (0 * a, a, b, a + b, -a, -b)])
    x = trained.apply("decode", z.reshape(-1, z.shape[-1]))
    one, two = ("→".join(names) for names in pairs)
    yield "arithmetic", image_rows(f"a = {one}, b = {two}", x.reshape(*z.shape[:2], *x.shape[1:]),
                                   ["x", "x + a", "x + b", "x + a + b", "x - a", "x - b"])
