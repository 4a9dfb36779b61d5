"""A DCGAN on stacked MNIST, near to PacGAN's protocol: three digits as channels, 1,000 modes to cover.

python launch.py --config=configs/dcgan_stacked_mnist.py

100,000 steps of batch 64: hundreds of minutes on two CPU cores, and some more for the classifier that counts, once.
PacGAN's Table 2 (Lin et al., arXiv:1712.04086) has 78.9 modes and a reverse KL of 4.50 nats for its DCGAN, 1,000 modes
and 0.06 nats for PacDCGAN2, as means of 10 runs each.

As theirs: 128,000 images; 50 epochs of batch 64; Adam at 2e-4 with b1 0.5; 100 latents; 512 to 64 channels and back,
kernels of 5x5, BatchNorm everywhere but at the images' ends, biases; no dropout and no averages; 26,000 samples, each
channel named by a classifier of single digits; KL from the uniform distribution.

Not as theirs: latents are normal, not uniform in [-1,1]. The generator makes one move a step, and theirs two. Its
layers end in LeakyReLU, theirs in ReLU; it grows from 2 to 32 pixels, of which it keeps 28, and theirs goes by way of 7
and 14. Dense weights begin Glorot-uniform, not N(0, 0.02). Real images are in [-1,1] as fakes are, theirs in [0,1].
Batches are shuffled. Training digits are of MNIST's training split alone. The classifier is another net. Nothing is
packed here.
"""
from configs import base
from gen_jax.data import stacked_mnist
from gen_jax.models.gan import dcgan
from gen_jax.objectives import gan
from gen_jax.optimizers import adam

EVALS = ("gan_losses", "gan_health", "samples", "samples_over_time", "latent_walk", "memorisation", "stacked_modes")


def get_config(variant: str = ""):
    """2x2x512 -> 4x4x256 -> 8x8x128 -> 16x16x64 -> 28x28x3 and back; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data = stacked_mnist.hp()
    config.model = dcgan.hp(latent_dim=100, gen_widths=(512, 256, 128, 64), disc_widths=(64, 128, 256, 512),
                            dropout=0.0, norm_momentum=0.9, norm_eps=1e-5)
    config.objective = gan.hp()
    config.optim.gen = adam.hp(lr=2e-4, b1=0.5)
    config.optim.disc = adam.hp(lr=2e-4, b1=0.5)
    config.train.update({"batch_size": 64, "epochs": 50})
    config.evals.update({"end": EVALS, "during": ("samples", "gan_signals"), "every_epochs": 1, "batch_size": 256})
    config.checkpoint.every_epochs = 1
    return base.variant(config, variant)
