"""How a VAE has been doing, in words: healthy, or what ails it, by what evidence and since when.

It reads what training has recorded: the bound's terms of both splits, and vae_signals, which must be among
evals.during. What can ail a VAE is in _vae_ailments.py.
"""
from collections.abc import Iterator

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import unit_of
from gen_jax.evals.health._ailments import onsets
from gen_jax.evals.health._figure import Panel, draw
from gen_jax.evals.health._vae_ailments import (
    LARGEST_HOLES,
    LARGEST_LOGVAR,
    LARGEST_PRIOR_GAP,
    LEAST_ACTIVE,
    LEAST_EXPLAINED,
    LEAST_TOLD,
    VAES,
    signals,
    verdict,
)

NEEDS = ("posterior", "sample_prior", "decode", "vector", "measure:recon", "measure:kl")


def evaluate(trained: Trained) -> Iterator[Result]:
    """health/verdict: a sentence; the figure "vae_health": the signals it rests on, over the epochs."""
    records = signals(trained.history)
    words = verdict(records)
    yield "health/verdict", words
    if records:
        yield "vae_health", draw(trained, trained.history, _panels(trained), onsets(VAES, records), words,
                                 f"*: where no latent has a KL of {LEAST_TOLD:g} nat")


def _panels(trained: Trained) -> tuple[Panel, ...]:
    """The panels of the figure."""
    return (
        Panel("reconstruction", unit_of(trained, "test/recon"), {"train/recon": "training", "test/recon": "test"}),
        Panel("KL", unit_of(trained, "test/kl"), {"train/kl": "training", "test/kl": "test",
                                                  "kl_most/test": "largest of one latent"}),
        Panel("variance explained by reconstructions", "share",
              {"explained/train": "training", "explained/test": "test"},
              ((LEAST_EXPLAINED, "training below: over-regularised*"),)),
        Panel("latents in use", "share", {"active/test": "active"}, ((LEAST_ACTIVE, "below: unused"),)),
        Panel("log variance of posteriors", "log variance",
              {"logvar_high/test": "highest", "logvar_low/test": "lowest"},
              ((LARGEST_LOGVAR, "above: exploding"),)),
        Panel("codes and the prior", "energy distance", {"prior_gap/test": "codes to prior"},
              ((LARGEST_PRIOR_GAP, "above: holes"),)),
        Panel("holes between codes", "between codes: 1", {"prior_holes/test": "from the prior to a code"},
              ((LARGEST_HOLES, "above: holes"),)),
        Panel("distance of samples", "reconstructions: 1", {"distance/samples": "to training examples"}),
    )
