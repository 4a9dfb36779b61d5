"""How many of stacked MNIST's 1,000 modes the samples cover, by the protocol of PacGAN's Table 2 (Lin et al.,
arXiv:1712.04086)."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.data import stacked_mnist
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._coverage import covered, reverse_kl
from gen_jax.evals.samples._like import how_many, stored_like
from gen_jax.judges.classifier import Classifier, classifier
from gen_jax.settings import Setting, Settings, between
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode", "labels", "kind:image")
METRICS = {
    "stacked/modes": Metric("modes", "higher", rank=1, of="samples", real="stacked/modes/test"),
    "stacked/reverse_kl": Metric("nats", "lower", rank=1, of="samples", real="stacked/reverse_kl/test"),
    "stacked/accuracy": Metric("share of digits named right", "higher"),
}
SMOKE = False  # it trains a classifier, and made-up images are not stacked

hp = Settings(__name__, {"samples": Setting(26_000, "how many samples are judged", between(1, 1_000_000))})


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers; a classifier of single digits, which has learnt from MNIST's training images, names each channel.

    stacked/modes/samples, stacked/modes/test: the modes in which there are samples, test images; 1,000 at most.
    stacked/reverse_kl/samples, stacked/reverse_kl/test: KL of their distribution over the modes from the uniform one,
    in nats. Of 26,000 uniform draws it is 0.019, and of the labels of the test images themselves 0.024: MNIST's digits
    are not equally frequent.
    stacked/accuracy/test: of the classifier, on single test digits.
    """
    num = trained.hp.stacked_modes.samples
    judge = classifier(stacked_mnist.single_hp(trained.config.data))
    rows = np.arange(num) % len(trained.test.x)
    samples = stored_like(trained, trained.key("stacked_modes"), trained.test, rows)
    for split, x in (("samples", samples), ("test", trained.test.x[:num])):
        counts, protocol = counted(judge, x), {**how_many(split, len(x)), "judge": judge.key[:6]}
        yield f"stacked/modes/{split}", Number(covered(counts), protocol)
        yield f"stacked/reverse_kl/{split}", Number(reverse_kl(counts), protocol)
    yield "stacked/accuracy/test", Number(judge.accuracy, {"real_split": "test", "judge": judge.key[:6]})


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line where the data are not stacked, or not all of their modes."""
    if config.data.name != "stacked_mnist":
        yield "evals: stacked_modes counts modes of data.name=stacked_mnist; leave it out of evals.end and evals.during"
    elif config.data.classes:
        yield "evals: stacked_modes counts all modes; set data.classes='', or leave it out"


def counted(judge: Classifier, x: np.ndarray) -> np.ndarray:
    """How many of the images x [N,H,W,3] are in each mode, int [K**3], in the eyes of a classifier of K digits."""
    digits = np.stack([judge.logits(x[..., channel, None]).argmax(-1) for channel in range(x.shape[-1])], 1)
    num_classes = len(judge.classes)
    return np.bincount(stacked_mnist.stacked(digits, num_classes), minlength=num_classes ** x.shape[-1])
