"""The GAN lab: PacGAN's grid of 25 normals, with their nets and optimizer.

python launch.py --config=configs/lab_grid.py

1 minute on two CPU cores, for 1% of PacGAN's 400,000 steps, after which it has not converged: modes 12 +- 5 of 25, high
quality 2.5 +- 1.3%, reverse KL 0.44 +- 0.32 nats; +- is the standard deviation over 5 seeds. With all steps,
--config=configs/lab_grid.py:full, 88 minutes on one busy core: modes 19 of 25, 89%, 0.34 in
one seed. PacGAN's table has 17.3
modes, 94.8%, 0.70.
"""
from configs import base, lab_ring
from gen_jax.data import points


def get_config(variant: str = ""):
    """4,000 of PacGAN's 400,000 steps; :full is all of them; :smoke is a few steps."""
    config = lab_ring.get_config("full" if variant == "full" else "")
    config.data = points.hp(shape="grid")
    return base.variant(config, variant, "full")
