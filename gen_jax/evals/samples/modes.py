"""How many modes of a known mixture the samples cover, by the protocol of PacGAN's Table 1 (Lin et al.,
arXiv:1712.04086)."""
import hashlib
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.data.points import Modes, modes
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._coverage import covered, reverse_kl
from gen_jax.settings import Setting, Settings, between
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode", "kind:points")
METRICS = {
    "modes/covered": Metric("modes", "higher", rank=1, of="samples", real="modes/all"),
    "modes/high_quality": Metric("share", "higher", rank=1, of="samples"),
    "modes/reverse_kl": Metric("nats", "lower", rank=1, of="samples"),
}
FARTHEST = 3.0  # of a high-quality sample from its mode, in standard deviations of the mode

hp = Settings(__name__, {"samples": Setting(2500, "how many samples are judged", between(1, 1_000_000))})


def evaluate(trained: Trained) -> Iterator[Result]:
    """modes/covered: modes to which some high-quality sample is nearest; modes/all: how many there are.
    modes/high_quality: the share of samples within 3 standard deviations of the nearest mode.
    modes/reverse_kl: KL of the samples' distribution over their nearest modes from the uniform one, nats.
    """
    mixture = modes(trained.config.data)
    chosen = np.array([int(name) for name in trained.spec.classes])
    mixture = mixture._replace(centres=mixture.centres[chosen])
    x, known = trained.draw(trained.key("modes"), trained.hp.modes.samples), {"data": _name(mixture)}
    for name, value in judge(x, mixture).items():
        yield name, Number(value, {"fake": len(x), **known})
    yield "modes/all", Number(len(chosen), known)


def _name(mixture: Modes) -> str:
    """What tells a mixture from others: samples are compared with it, and with no training data."""
    content = np.asarray(mixture.centres, np.float64).tobytes() + np.float64(mixture.std).tobytes()
    return f"mixture:{hashlib.sha256(content).hexdigest()[:12]}"


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line where the data are no mixture whose modes are known."""
    if config.data.name != "points" or modes(config.data) is None:
        yield ("evals: modes counts the modes of a mixture that is known: data.name=points with data.shape=ring, grid "
               "or mixture; leave it out of evals.end and evals.during")


def judge(x: np.ndarray, mixture: Modes) -> dict[str, float]:
    """The three numbers of samples x [N,2]."""
    distances = np.sqrt(np.square(x[:, None].astype(np.float64) - mixture.centres[None]).sum(-1))
    nearest = distances.argmin(1)
    good = distances.min(1) <= FARTHEST * mixture.std
    counts, of_good = (np.bincount(of, minlength=len(mixture.centres)) for of in (nearest, nearest[good]))
    return {"modes/covered": covered(of_good), "modes/high_quality": float(good.mean()),
            "modes/reverse_kl": reverse_kl(counts)}
