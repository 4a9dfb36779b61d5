"""What can ail a VAE, by what is recorded in training, and the sentence that says it.

The thresholds lie between what healthy runs have reached and what runs have that were made to fail;
tests/test_planted_vae_failures.py makes both. Several may hold at once: a posterior that is too wide, say, leaves
nothing to reconstruct from.
"""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals.health import _ailments
from gen_jax.evals.health._ailments import Ailment, Family, whole

LARGEST_LOGVAR = 1.0  # of a posterior; above 0 it is wider than the prior
LARGEST_KL = 16.0  # nats of one latent, on average: a float32 of 24 bits tells no more values apart
LEAST_KL = 0.05  # nats of all latents
LEAST_TOLD = 1.0  # nats of the latent with the largest KL
LEAST_EXPLAINED = 0.35  # of the variance of training examples, where no latent tells that
LEAST_LEARNED = 0.2  # of it, elsewhere
LEAST_MEAN = -0.1  # of it; where less is, the decoder has not even learned the mean example, which explains 0
LARGEST_GAP = 0.2  # between what is explained of training and of test examples
LARGEST_RISE = 0.5  # of -ELBO on test examples since its best, as a share of what it had fallen until then
LEAST_RISE, LEAST_RISE_SHARE = 1.0, 0.05  # nats, and of the best -ELBO's size: less is the noise of validation
LARGEST_PRIOR_GAP = 0.1  # energy distance, as a share of its largest value
LARGEST_HOLES = 5.0  # distances between codes, from the prior to the nearest code
STILL = 0.9  # of that at the record before: below it, codes are still coming nearer to the prior
LEAST_ACTIVE = 0.25  # of the latents: the 50 of Burda et al., which do well, have 38% and more
RECORDS = 3  # that a verdict takes
READ = ("test/recon", "test/kl", "active/test", "logvar_low/test", "logvar_high/test", "kl_most/test", "explained/test",
        "explained/train", "prior_gap/test", "prior_holes/test", "distance/samples")


def signals(history: list[dict]) -> list[dict]:
    """The records that have all signals which a verdict rests on, with what follows from them and earlier ones.

    "gap": how much more is explained of training examples than of test examples. "best": -ELBO of test examples in the
    best record until then, nats. "rise": how far -ELBO has risen from there, as a share of what it had fallen; 0 where
    it is small beside -ELBO itself, or that has not fallen on training examples meanwhile.
    """
    every = [record | rise for record, rise in zip(history, _rises(history), strict=True)]
    return [record | {"gap": record["explained/train"] - record["explained/test"]} for record in whole(every, READ)]


def verdict(records: list[dict]) -> str:
    """The sentence on a VAE. records: as signals gives them."""
    return _ailments.verdict(VAES, records)


def _rises(history: list[dict]) -> Iterator[dict]:
    """"best" and "rise" of each record."""
    first, best, best_train = np.nan, np.inf, np.inf
    for record in history:
        bound, train = (_neg_elbo(record, split) for split in ("test", "train"))
        first = bound if np.isnan(first) else first
        if bound < best:
            best, best_train = bound, train
        least = max(LEAST_RISE, LEAST_RISE_SHARE * abs(best))
        rises = bound - best > least and train < best_train and first > best
        yield {"best": best, "rise": (bound - best) / (first - best) if rises else 0.0}


def _neg_elbo(record: dict, split: str) -> float:
    """recon + kl of a split in nats, whatever beta is; not a number where it was not recorded."""
    terms = [record.get(f"{split}/{term}") for term in ("recon", "kl")]
    return np.nan if None in terms else sum(terms)


def _exploded(records: list[dict], i: int) -> bool:
    """What is not a number counts as too large."""
    return not (records[i]["logvar_high/test"] < LARGEST_LOGVAR and records[i]["kl_most/test"] < LARGEST_KL)


def _collapsed(records: list[dict], i: int) -> bool:
    return records[i]["active/test"] == 0 or records[i]["test/kl"] < LEAST_KL


def _over_regularised(records: list[dict], i: int) -> bool:
    """Codes are then near the prior: a rate that is too high leaves as little in them, but far from it. The decoder
    then gives the mean example at least: one that has not been trained for long gives less."""
    at = records[i]
    tells_little = at["kl_most/test"] < LEAST_TOLD and at["prior_gap/test"] <= LARGEST_PRIOR_GAP
    return tells_little and LEAST_MEAN < at["explained/train"] < LEAST_EXPLAINED and not _collapsed(records, i)


def _undertrained(records: list[dict], i: int) -> bool:
    is_named = _collapsed(records, i) or _over_regularised(records, i)
    return records[i]["explained/train"] < LEAST_LEARNED and not is_named


def _overfits(records: list[dict], i: int) -> bool:
    return records[i]["gap"] > LARGEST_GAP or records[i]["rise"] > LARGEST_RISE


def _risen(record: dict) -> str:
    now = record["test/recon"] + record["test/kl"]
    return f", and -ELBO of test examples, {record['best']:.4g} nats at best, is {now:.4g}" if record["rise"] else ""


def _has_holes(records: list[dict], i: int) -> bool:
    return _sign_of_holes(records[i]) is not None


def _sign_of_holes(record: dict) -> str | None:
    """The number that tells of holes, where one does.

    How far samples are from training examples does not: healthy runs have reached what runs with holes have.
    """
    largest = {"prior_gap/test": LARGEST_PRIOR_GAP, "prior_holes/test": LARGEST_HOLES}
    return next((name for name, limit in largest.items() if record[name] > limit), None)


def _remedy(records: list[dict]) -> str:
    """What codes that do not cover the prior ask for."""
    sign = _sign_of_holes(records[-1])
    if records[-1][sign] < STILL * records[-2][sign]:
        return "they still come nearer; train longer"
    return "raise beta, take fewer latents, or learn the likelihood's scale"


AILMENTS = (
    Ailment("exploding variance", _exploded, lambda records:
            f"log variances of posteriors go from {records[-1]['logvar_low/test']:.1f} to "
            f"{records[-1]['logvar_high/test']:.1f}, where the prior's is 0, and one latent has a KL of "
            f"{records[-1]['kl_most/test']:.3g} nats; lower the learning rate, clip gradients (clip_norm), and see how "
            "the encoder makes its logvar"),
    Ailment("posterior collapse", _collapsed, lambda records:
            f"the KL is {records[-1]['test/kl']:.2g} nats, {records[-1]['active/test']:.0%} of the latents are active, "
            f"and reconstructions explain {max(records[-1]['explained/test'], 0):.0%} of the variance of test "
            "examples; lower beta, let it grow from 0, see that the decoder uses its latents, or weaken it"),
    Ailment("over-regularisation", _over_regularised, lambda records:
            f"no latent has a KL of more than {records[-1]['kl_most/test']:.2g} nats, and reconstructions explain "
            f"{max(records[-1]['explained/train'], 0):.0%} of the variance of training examples, where the mean "
            "example explains none; lower beta or a Gaussian likelihood's scale"),
    Ailment("undertrained", _undertrained, lambda records:
            f"although the KL is {records[-1]['test/kl']:.2g} nats, reconstructions explain "
            f"{max(records[-1]['explained/train'], 0):.0%} of the variance of training examples, where the mean "
            "example explains none; train longer, or try other learning rates or wider nets"),
    Ailment("over-fitting", _overfits, lambda records:
            f"reconstructions explain {records[-1]['explained/train']:.0%} of the variance of training examples and "
            f"{max(records[-1]['explained/test'], 0):.0%} of that of test examples{_risen(records[-1])}; more "
            "examples, augmentation, narrower nets or an earlier checkpoint (checkpoint.best) help"),
    Ailment("prior holes", _has_holes, lambda records:
            "codes of test examples do not cover the prior (an energy distance of "
            f"{records[-1]['prior_gap/test']:.2f}, where {LARGEST_PRIOR_GAP:g} is near; a code from the prior is "
            f"{records[-1]['prior_holes/test']:.3g} times as far from the nearest of them as they are from each other, "
            f"where {LARGEST_HOLES:g} is near), so that samples come from where no example is: they are "
            f"{records[-1]['distance/samples']:.1f} times as far from training examples as reconstructions are; "
            f"{_remedy(records)}"),
    Ailment("unused units", lambda records, i: 0 < records[i]["active/test"] < LEAST_ACTIVE, lambda records:
            f"{records[-1]['active/test']:.0%} of the latents are active; a model with as few would do as well, and "
            "more of them may wake if beta grows from 0"),
)


def _health(last: dict) -> str:
    return (f"reconstructions explain {last['explained/test']:.0%} of the variance of test examples and "
            f"{last['explained/train']:.0%} of that of training examples, with a KL of {last['test/kl']:.3g} nats; "
            f"{last['active/test']:.0%} of the latents are active, and codes cover the prior (an energy distance of "
            f"{last['prior_gap/test']:.2f}; from the prior to a code it is {last['prior_holes/test']:.2g} times as far "
            "as between codes)")


VAES = Family(
    AILMENTS, READ, RECORDS,
    "train on, or record them more often (vae_signals in evals.during, a smaller evals.every_epochs or every_steps); "
    "signals take two test examples or more",
    "the decoder gives what is not finite", _health)
