"""How a GAN has been doing, in words: healthy, or what ails it, by what evidence and since when.

It reads what training has recorded: the players' terms, the test terms, and gan_signals, which must be among
evals.during. What can ail a GAN is in _gan_ailments.py.
"""
from collections.abc import Iterator

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import unit_of
from gen_jax.evals.health._ailments import onsets
from gen_jax.evals.health._figure import Panel, draw
from gen_jax.evals.health._gan_ailments import (
    FARTHEST,
    GANS,
    LARGEST_LOSS,
    LEAST_DIVERSITY,
    MOST_COPIED,
    RECENT,
    largest_margin,
    signals,
    verdict,
)

NEEDS = ("sample_prior", "decode", "measure:disc_loss")


def evaluate(trained: Trained) -> Iterator[Result]:
    """health/verdict: a sentence; the figure "gan_health": the signals it rests on, over the epochs."""
    smoothing = _smoothing(trained)
    records = signals(trained.history, smoothing)
    words = verdict(records)
    yield "health/verdict", words
    if records:
        margins = [record | {"disc/margin": record["disc/real"] - record["disc/fake"]}
                   if None not in (record.get("disc/real"), record.get("disc/fake")) else record
                   for record in trained.history]
        yield "gan_health", draw(trained, margins, _panels(smoothing, trained), onsets(GANS, records), words,
                                 "D: discriminator, G: generator")


def _smoothing(trained: Trained) -> float:
    """The label smoothing of the run's objective, 0 where it has none."""
    hp = trained.config.objective
    return hp.label_smoothing if "label_smoothing" in hp else 0.0


def _panels(smoothing: float, trained: Trained) -> tuple[Panel, ...]:
    """The panels of the figure."""
    return (
        Panel("in training", "probability of being real",
              {"disc/real": "D(x)", "disc/fake": "D(G(z))", "disc/margin": "D(x) - D(G(z))"},
              ((largest_margin(smoothing), "difference above: saturated"),)),
        Panel("held-out images", "probability of being real",
              {"test/real": "D(x)", "test/fake": "D(G(z))", "test/accuracy": "share told right"}),
        Panel("losses", unit_of(trained, "disc/loss"),
              {"disc/loss": "D", "gen/loss": "G", "test16/disc_loss": "D, 16 held out",
               "test16/gen_loss": "G, 16 held out"},
              ((LARGEST_LOSS["disc/loss"], "D above: diverged"), (LARGEST_LOSS["gen/loss"], "G above: diverged"))),
        Panel("gradients and updates", "norm",
              {"disc/grad_norm": "gradient of D", "gen/grad_norm": "gradient of G", "disc/update_norm": "update of D",
               "gen/update_norm": "update of G"}, is_log=True),
        Panel("distances of samples", "in those of test images",
              {"samples/diversity": "to any sample", "samples/nearest": "to nearest training",
               "samples/spacing": "to nearest sample"},
              ((FARTHEST, "to training above: diverged"), (LEAST_DIVERSITY, "to samples below: collapsed"))),
        Panel("copies and averages", "share",
              {"samples/copied": "copied samples", "ema/distance": "averages to weights"},
              ((MOST_COPIED, f"mean of {RECENT} above: copying"),)),
        Panel("Fréchet distance in random features", "squared distance",
              {"features/distance": "samples", "features/distance_real": "test images"}),
    )
