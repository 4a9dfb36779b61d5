"""Norms: one file each, found by its name.

Each defines norm(h, train, momentum, epsilon) -> h [B,...,F], called inside a module's compact method.
"""
from gen_jax.find import names
from gen_jax.settings import Must, Setting


def setting(default: str, of: str) -> Setting:
    """The setting that names a norm. of: what is normed."""
    return Setting(default, f"norm of {of}: a file of gen_jax/layers/norms",
                   Must(lambda name: name in names("layers.norms"), "a file of gen_jax/layers/norms, as batch or none"))
