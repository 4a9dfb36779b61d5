"""The GAN lab: PacGAN's ring of 8 normals, with their nets and optimizer.

python launch.py --config=configs/lab_ring.py

1 minute on two CPU cores, for 1% of PacGAN's 400,000 steps: modes 7.8 +- 0.4 of 8, high quality 55 +- 16%, reverse KL
0.09 +- 0.05 nats; +- is the standard deviation over 5 seeds. With all steps, --config=configs/lab_ring.py:full, 88
minutes on one busy core: modes 4 of 8, 99%, 0.80 in one seed; it lost modes as it went on (8 after
50,000 steps, 5 after 200,000). PacGAN's table has 6.3, 98.2% and 0.45.
"""
from configs import base
from gen_jax.data import points
from gen_jax.models.gan import mlp_gan
from gen_jax.objectives import gan
from gen_jax.optimizers import adam

EVALS = ("gan_losses", "samples", "modes", "lab_plane", "lab")  # of GANs in the plane


def get_config(variant: str = ""):
    """4,000 of PacGAN's 400,000 steps; :full is all of them; :smoke is a few steps."""
    config = base.get_config()
    config.data = points.hp(shape="ring")
    config.model = mlp_gan.hp(gen_widths=(400, 400, 400, 400), gen_norm="batch", gen_bias=False,
                              gen_activation="relu", disc_widths=(200, 200, 200), disc_pieces=5, kernel_init="normal",
                              kernel_std=0.02)
    config.objective = gan.hp()
    config.optim.gen = adam.hp(lr=1e-4, b1=0.8)
    config.optim.disc = adam.hp(lr=1e-4, b1=0.8)
    config.train.update({"batch_size": 100, "steps": 400_000 if variant == "full" else 4_000})
    every = config.train.steps // 40
    config.log.every_steps = config.evals.every_steps = every
    config.checkpoint.every_steps = 10 * every
    config.evals.update({"end": EVALS, "during": ("modes", "lab_frames"), "batch_size": 2500})
    return base.variant(config, variant, "full")
