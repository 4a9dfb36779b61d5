"""What can ail a GAN, by what is recorded in training, and the sentence that says it.

An ailment is one that holds to the end of the run: GANs go through bad patches and recover. A hinge loss keeps
D(x) - D(G(z)) small, and its generator's gradient does not vanish, so that saturation is not found there.
"""
import numpy as np

from gen_jax.evals.health import _ailments
from gen_jax.evals.health._ailments import Ailment, Family, whole

LARGEST_LOSS = {"disc/loss": 18.0, "gen/loss": 9.0}  # nats; the discriminator's is of a real example and a fake
FARTHEST = 2.4  # of samples from training images, in distances of test images
LEAST_DIVERSITY = LEAST_SPACING = 0.5  # of samples, in those of test images
MOST_COPIED = 0.4
NEAREST = 0.9  # of samples to training images, in distances of test images
LARGEST_MARGIN, LARGEST_SHARE = 0.86, 0.95  # D(x) - D(G(z)) in training; and of the 1 - s that label smoothing leaves
LARGEST_GAP = 2.0  # of samples beyond test images in features/distance, whose directions have variance 1
STILL = 0.9  # of the gap some records ago: below it, samples are still coming nearer
LARGEST_SWING = 0.3  # of the held-out margin, from one record to the next, on average
RECENT = 5  # records that swings, copies and gaps are averaged over, and that a verdict takes
READ = ("disc/real", "disc/fake", "test/real", "test/fake", "samples/diversity", "samples/spacing", "samples/nearest",
        "samples/copied")


def signals(history: list[dict], smoothing: float = 0.0) -> list[dict]:
    """The records that have all signals which a verdict rests on, and "saturation", above 1 where it is too high.

    smoothing: of the labels of real images, which keeps D(x) below 1.
    """
    limit = largest_margin(smoothing)
    return [record | {"saturation": (record["disc/real"] - record["disc/fake"]) / limit}
            for record in whole(history, READ)]


def largest_margin(smoothing: float) -> float:
    """D(x) - D(G(z)) in training that a discriminator may reach. smoothing: as for signals."""
    return min(LARGEST_MARGIN, LARGEST_SHARE * (1 - smoothing))


def verdict(records: list[dict]) -> str:
    """The sentence on a GAN. records: as signals gives them."""
    return _ailments.verdict(GANS, records)


def _largest(record: dict) -> float:
    """The larger loss, as a share of the largest that there may be; not a number counts as infinite."""
    shares = [record[name] / largest for name, largest in LARGEST_LOSS.items() if name in record]
    return max((share if np.isfinite(share) else np.inf for share in shares), default=0.0)


def _copied(records: list[dict]) -> float:
    """Averaged, because it is of 256 samples, and noisy where most images are training images anyway."""
    return float(np.mean([record["samples/copied"] for record in records[-RECENT:]]))


def _swing(records: list[dict]) -> float:
    """The mean change of the held-out margin D(x) - D(G(z)) from one record to the next, over the last few."""
    margins = [record["test/real"] - record["test/fake"] for record in records[-RECENT:]]
    return float(np.abs(np.diff(margins)).mean()) if len(margins) == RECENT else 0.0


def _gap(records: list[dict]) -> float:
    """How much farther samples are from training images than test images are, in features/distance, averaged."""
    return float(np.mean([record["features/distance"] - record["features/distance_real"]
                          for record in records[-RECENT:] if "features/distance" in record] or [0.0]))


def _advice(records: list[dict]) -> str:
    """What a gap asks for."""
    if _gap(records) < STILL * _gap(records[:-RECENT] or records[:1]):
        return "and still closes; train longer"
    return "and does not close; try other learning rates, wider nets or more images"


def _diverged(records: list[dict], i: int) -> bool:
    return not _largest(records[i]) < 1 or records[i]["samples/nearest"] > FARTHEST


def _collapsed(records: list[dict], i: int) -> bool:
    """Few images, repeated, may be as far from each other as all are; but each has another one next to it."""
    return records[i]["samples/diversity"] < LEAST_DIVERSITY or records[i]["samples/spacing"] < LEAST_SPACING


def _copies(records: list[dict], i: int) -> bool:
    """A few blurred images are nearest to many samples, which makes the count noisy; copies are near as well."""
    return _copied(records[:i + 1]) > MOST_COPIED and records[i]["samples/nearest"] < NEAREST


AILMENTS = (
    Ailment("diverged", _diverged, lambda records:
            f"a loss is {_largest(records[-1]):.1f} times what games may reach, and samples are "
            f"{records[-1]['samples/nearest']:.1f} times as far from training images as test images; lower the "
            "learning rates"),
    Ailment("mode collapse", _collapsed, lambda records:
            f"samples differ from each other {records[-1]['samples/diversity']:.0%}, and from the nearest other one "
            f"{records[-1]['samples/spacing']:.0%} as much as test images do; see that the generator uses its latents, "
            "and slow the discriminator down"),
    Ailment("copying", _copies, lambda records:
            f"a sample's nearest image is too often a training image (by {_copied(records):.0%}, where 0% is chance "
            f"and 100% is always), at {records[-1]['samples/nearest']:.0%} of a test image's distance; more images, or "
            "augmentation, keep the discriminator from learning them by heart"),
    Ailment("discriminator saturated", lambda records, i: records[i]["saturation"] > 1, lambda records:
            f"in training D(x) is {records[-1]['disc/real']:.2f} and D(G(z)) {records[-1]['disc/fake']:.2f}, which "
            "leaves the generator little to follow; give the discriminator fewer moves or a lower learning rate"),
    Ailment("oscillating", lambda records, i: _swing(records[:i + 1]) > LARGEST_SWING, lambda records:
            f"D(x) - D(G(z)) on held-out images changes by {_swing(records):.2f} from one record to the next; lower "
            "the learning rates, or average the weights"),
    Ailment("undertrained", lambda records, i: _gap(records[:i + 1]) > LARGEST_GAP, lambda records:
            "samples are farther from the training images than test images are; in features/distance the gap is "
            f"{_gap(records):.1f} ({LARGEST_GAP:g} is near), {_advice(records)}"),
)
GANS = Family(
    AILMENTS, READ, RECENT,
    "train on, or record them more often (gan_signals in evals.during, a smaller evals.every_epochs or every_steps); "
    "a loss without probabilities, as Wasserstein's, has no D(x) and gets no verdict",
    "signals of samples take two test examples or more", lambda last:
    f"in training D(x) is {last['disc/real']:.2f} and D(G(z)) {last['disc/fake']:.2f}; samples are "
    f"{last['samples/diversity']:.0%} as diverse as test images, and {last['samples/nearest']:.0%} as far from "
    "training images")
