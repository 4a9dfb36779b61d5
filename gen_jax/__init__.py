"""Generative models that learn to sample, in JAX and Flax. gen_jax.load() gives a trained run to work with."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_jax.loaded import LoadedRun


def load(workdir: str, checkpoint: str | int = "latest") -> "LoadedRun":
    """The run in workdir, with its sample, encode, decode, reconstruct, interpolate and concept: see gen_jax/loaded.py.

    checkpoint: "latest", "best" or a step that was saved. The run's data are not needed, and nothing is written.
    """
    from gen_jax.loaded import load  # here, so that the package's small parts can be imported without JAX

    return load(workdir, checkpoint)
