"""Whether samples copy training examples: see gen_jax/judges/copying.py (Meehan et al., arXiv:2004.05675)."""
from collections.abc import Iterator

from absl import logging
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._features import feature_faults, in_features
from gen_jax.evals.samples._like import stored_like
from gen_jax.judges.copying import ENOUGH, LEVEL, NEAREST, POWER, Copying, copying
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, placeholder
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode")
METRICS = {
    "memorisation/p_value": Metric("probability", rank=3, of="samples"),
    "memorisation/z": Metric("standard deviations", of="samples"),
    "memorisation/c_t": Metric("mean z of cells", of="samples"),
    "memorisation/nearer": Metric("share of pairs; 0.5 is equal", of="samples"),
    "memorisation/nearest": Metric(f"share of samples; {NEAREST} is equal", of="samples"),
    "memorisation/nearest_p_value": Metric("probability", rank=3, of="samples"),
    "memorisation/seen": Metric("share of the test examples", of="samples"),
}
IN_A_CELL = 200  # test examples of a cell on average, as in the paper's MNIST: 50 cells of 10,000
MOST = 0.9  # of the test examples: where fewer are seen, the verdict says so

hp = Settings(__name__, {
    "features": Setting("values", "what distances are taken in: the values themselves, or another file of "
                        "gen_jax/judges/features"),
    "inception": Setting("", "weights of the original FID's Inception, a file; its features are then taken instead"),
    "samples": Setting(10_000, "test examples, and as many samples, at most", at_least(ENOUGH)),
    "cells": Setting(placeholder(int), f"of space; unset: one for each {IN_A_CELL} test examples, one at least",
                     POSITIVE),
}, smoke={"samples": 40})


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, for as many samples as there are test examples; none of fewer than 20 of these, and none of
    data that are drawn anew at each step.

    memorisation/p_value: near 0 where samples are nearer to training examples than test examples are: copies are, and
    so are samples that are smoother than the data. Any value from 0 to 1 is as probable as any other where they are as
    test examples are. It is near 1 where they are farther on the whole; some of them may be copies all the same.
    memorisation/z, memorisation/c_t: the statistic, with standard deviation 1, and as published.
    memorisation/nearer: the probability that a sample is nearer to a training example than a test example is; unlike p,
    it does not depend on how many there are. memorisation/nearest: the share of samples that are nearer than all but 5%
    of the test examples, which tells a few copies from many samples that are somewhat nearer.
    memorisation/nearest_p_value: near 0 where that share is higher than chance makes it.
    memorisation/seen: the share of the test examples that is in cells with samples enough; nothing is said of others.
    memorisation/verdict: a sentence. Where nothing is found, it says the share of exact copies that so many examples
    show, which holds only if all other samples are as test examples are.
    """
    own = trained.hp.memorisation
    rows = stratified_rows(trained.test, own.samples)
    if data.stream(trained.config.data):
        logging.warning("memorisation: left out, training draws new examples at each step: there are none to copy")
        return
    if len(rows) < ENOUGH:
        logging.warning("memorisation: left out, it takes %d test examples or more", ENOUGH)
        return
    samples = stored_like(trained, trained.key("memorisation"), trained.test, rows)
    examples = in_features(_named(own), trained, own, (trained.train.x, trained.test.x[rows], samples))
    if examples is None:
        return
    name, (train, real, fake) = examples
    num_cells = own.cells or max(1, len(rows) // IN_A_CELL)
    found = copying(train, real, fake, num_cells)
    protocol = {"real": len(real), "real_split": "test", "fake": len(fake), "training": len(train),
                "features": name, "cells": num_cells}
    for number in METRICS:
        yield number, Number(getattr(found, number.removeprefix("memorisation/")), protocol)
    yield "memorisation/verdict", verdict(found)


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line where there are no such features, these data do not have them, or they cannot be made."""
    own = config.evals.memorisation
    yield from feature_faults(_named(own), data.spec(train, data.kind(config.data)), own, "take values")


def _named(own: ConfigDict) -> str:
    """The features that the settings name."""
    return "inception" if own.inception else own.features


def verdict(found: Copying) -> str:
    """In words."""
    copies = found.nearest_p_value < LEVEL
    nearest = (f"{found.nearest:.0%} of the samples are nearer than all but {NEAREST:.0%} of the test examples, "
               + (f"more than by chance (p {found.nearest_p_value:.2g})" if copies else "no more than by chance"))
    return f"{_on_the_whole(found)}; {nearest}. {_advice(found, copies)}{_unseen(found)}"


def _on_the_whole(found: Copying) -> str:
    pairs = f"({found.nearer:.0%} of pairs, p {found.p_value:.2g})"
    if found.p_value < LEVEL:
        return f"nearer: samples are nearer to training examples than test examples are {pairs}"
    if found.p_value > 1 - LEVEL:
        return f"farther: samples are farther from training examples than test examples are {pairs}"
    return f"as near: samples are as near to training examples as test examples are {pairs}"


def _advice(found: Copying, copies: bool) -> str:
    if found.p_value < LEVEL:
        return "They are copies, or smoother than the data: look at nearest_images"
    if copies:
        return "These may be copies: look at nearest_images"
    if found.p_value > 1 - LEVEL:
        return "A few copies among samples that are so far away would not show"
    return (f"If all others are as test examples are, a share of {found.least:.0%} of exact copies would show in "
            f"{POWER:.0%} of cases")


def _unseen(found: Copying) -> str:
    if found.seen >= MOST:
        return ""
    return (f". This is of regions with {found.seen:.0%} of the test examples; elsewhere there are too few samples, or "
            "too few test examples, to say anything")
