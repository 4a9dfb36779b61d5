"""How a GAN has been doing, in words: healthy, or what ails it, by what evidence and since when.

It reads what training has recorded: the players' terms, the test terms, and gan_signals, which must be among
evals.during. What can ail a GAN is in _ailments.py.
"""
from collections.abc import Iterator

from gen_jax.evals import Result, Trained
from gen_jax.evals.health._ailments import signals, verdict
from gen_jax.evals.health._figure import draw

NEEDS = ("sample_prior", "decode", "measure:disc_loss")


def evaluate(trained: Trained) -> Iterator[Result]:
    """health/verdict: a sentence; the figure "gan_health": the signals it rests on, over the epochs."""
    smoothing = _smoothing(trained)
    records = signals(trained.history, smoothing)
    words = verdict(records)
    yield "health/verdict", words
    if records:
        yield "gan_health", draw(trained, records, smoothing, words)


def _smoothing(trained: Trained) -> float:
    """The label smoothing of the run's objective, 0 where it has none."""
    hp = trained.config.objective
    return hp.label_smoothing if "label_smoothing" in hp else 0.0
