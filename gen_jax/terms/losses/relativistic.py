"""The relativistic pairing loss (Jolicoeur-Martineau, arXiv:1807.00734), as R3GAN takes it (arXiv:2501.05441).

disc: softplus(f(G(z)) - f(x)); gen: softplus(f(x) - f(G(z))). Each real example is paired with one fake. A logit alone
is no probability: only differences mean something.
"""
import jax

from gen_jax.terms.losses import AdversarialLoss

LOSS = AdversarialLoss(disc=lambda real, fake: jax.nn.softplus(fake - real),
                       gen=lambda fake, real: jax.nn.softplus(real - fake), pairs=True, probability=False)
