"""How sure a classifier is of each fake example, and how many classes it sees: Salimans et al., NeurIPS 2016
(arXiv:1606.03498).

exp(E KL(p(y|x) || p(y))), from 1 to the number of classes, over all fake examples at once: the paper's ten parts make
the score depend on the order of the examples, and bias it more. With Inception's logits it is the Inception score; with
any other classifier's it is not, and does not compare with published ones.
"""
import numpy as np
from scipy.special import entr, log_softmax

from gen_jax.judges.metrics import Cloud
from gen_jax.types import Metric

METRICS = {"score": Metric("classes", "higher", of="samples")}
OFFICIAL = {"score": "IS"}
PROTOCOL = {"parts": 1}
NEEDS_LOGITS = True


def measure(real: Cloud, fake: Cloud) -> dict[str, float]:
    """score: of the fake examples alone. The KL's mean is the mean class's entropy less the mean of the entropies."""
    p = np.exp(log_softmax(fake.logits.astype(np.float64), axis=1))
    return {"score": float(np.exp(entr(p.mean(0)).sum() - entr(p).sum(1).mean()))}
