"""Paths between two latents."""
import numpy as np


def linear(start: np.ndarray, end: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Points [S,Z] on the line from start [Z] to end [Z]; steps: [S] in [0,1]."""
    return (start + steps[:, None] * (end - start)).astype(np.float32)


def spherical(start: np.ndarray, end: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Points [S,Z] that turn evenly from start to end while their length changes evenly (Shoemake, SIGGRAPH 1985;
    White, arXiv:1609.04468). Where an end has no direction, or the two are parallel, the line."""
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0:
        return linear(start, end, steps)
    u, v = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if np.sin(angle) < 1e-6:
        return linear(start, end, steps)
    t = steps[:, None]
    direction = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
    return (direction * ((1 - t) * lengths[0] + t * lengths[1])).astype(np.float32)
