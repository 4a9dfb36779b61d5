"""The hinge loss (Lim & Ye, arXiv:1705.02894).

disc: max(0, 1 - f(x)) + max(0, 1 + f(G(z))); gen: -f(G(z)).
"""
import jax

from gen_jax.terms.losses import AdversarialLoss

LOSS = AdversarialLoss(disc=lambda real, fake: jax.nn.relu(1 - real) + jax.nn.relu(1 + fake),
                       gen=lambda fake, real: -fake, unit="logits per example")
