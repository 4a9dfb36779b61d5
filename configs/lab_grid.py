"""The GAN lab: PacGAN's grid of 25 normals, with their nets and optimizer."""
from configs import base, lab_ring
from gen_jax.data import points


def get_config(variant: str = ""):
    """4,000 of PacGAN's 400,000 steps; :full is all of them; :smoke is a few steps."""
    config = lab_ring.get_config("full" if variant == "full" else "")
    config.data = points.hp(shape="grid")
    return base.variant(config, variant, "full")
