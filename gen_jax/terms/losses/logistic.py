"""The loss of Goodfellow et al., 2014 (arXiv:1406.2661), the generator's non-saturating.

disc: softplus(-f(x)) + softplus(f(G(z))); gen: softplus(-f(G(z))); f is the logit.
"""
import jax

from gen_jax.terms.losses import AdversarialLoss

LOSS = AdversarialLoss(disc=lambda real, fake: jax.nn.softplus(-real) + jax.nn.softplus(fake),
                       gen=lambda fake, real: jax.nn.softplus(-fake))
