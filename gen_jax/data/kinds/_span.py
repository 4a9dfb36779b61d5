"""The scale of a picture of numbers."""
import numpy as np


def span(values: np.ndarray) -> tuple[float, float]:
    """(the lowest, the highest) of those of values [...] that are finite; (0, 1) where none is."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
