"""Differentiable augmentation: what the discriminator sees is changed at random, real and fake alike.

Each file here is a policy: augment(x, key) -> x, of images x [B,H,W,C] in [-1,1]. Zhao et al., "Differentiable
Augmentation for Data-Efficient GAN Training", 2020 (arXiv:2006.10738): with few images a discriminator learns them by
heart; if only real ones were changed, the generator would learn the changes.
"""
from collections.abc import Callable

import jax

from gen_jax.config import name_list
from gen_jax.find import find, names
from gen_jax.settings import Must, Setting

SETTING = Setting("", "what is done to real and fake images alike, comma-separated files of gen_jax/terms/augment",
                  Must(lambda text: set(name_list(text)) <= set(names("terms.augment")),
                       "files of gen_jax/terms/augment, comma-separated: color, cutout, flip, translation"))


def chain(policies: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """augment(x, key) -> x after each of the comma-separated policies, in their order."""
    steps = [find("terms.augment", name).augment for name in name_list(policies)]

    def augment(x: jax.Array, key: jax.Array) -> jax.Array:
        for i, step in enumerate(steps):
            x = step(x, jax.random.fold_in(key, i))
        return x
    return augment
