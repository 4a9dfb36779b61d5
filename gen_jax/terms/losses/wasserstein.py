"""The Wasserstein loss (Arjovsky, Chintala & Bottou, arXiv:1701.07875), of a critic whose slope a penalty must bound.

disc: f(G(z)) - f(x); gen: -f(G(z)). A logit is no probability.
"""
from gen_jax.terms.losses import AdversarialLoss

LOSS = AdversarialLoss(disc=lambda real, fake: fake - real, gen=lambda fake, real: -fake, probability=False,
                       unit="critic's units per example")
