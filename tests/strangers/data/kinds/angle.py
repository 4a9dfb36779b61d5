"""Angles: float32 [1] in degrees as stored; models and generators see turns around the circle, -0.5 to 0.5."""
import numpy as np
from matplotlib.figure import Figure

from gen_jax.types import Kind


def distances(a, b):
    """Squared distances the short way round [N,M]."""
    apart = np.abs(a[:, None] - b[None]).sum(-1) % 1
    return np.minimum(apart, 1 - apart) ** 2


def draw(x, columns, data):
    """A histogram on the circle."""
    fig = Figure(figsize=(3, 3))
    fig.add_subplot(projection="polar").hist(2 * np.pi * x[:, 0], 24)
    return fig


def dial(x):
    """A bright hand on a dark dial."""
    place, turns = np.linspace(-1, 1, 9), 2 * np.pi * x[:, :1, None]
    along = place * np.sin(turns) - place[:, None] * np.cos(turns)
    across = place * np.cos(turns) + place[:, None] * np.sin(turns)
    return np.uint8(255 * ((along > 0) & (np.abs(across) < 0.2)))[..., None]


KIND = Kind(name="angle", fault=lambda x: "" if x.dtype == np.float32 and x.shape[1:] == (1,) else "no angles",
            to_model=lambda x: x / 360, to_stored=lambda x: np.asarray(x * 360, np.float32), to_generator=lambda x: x,
            from_generator=lambda x: x, clip=lambda x: x, distances=distances, draw=draw, tile=dial,
            file=(".txt", lambda x: str(x).encode()))
