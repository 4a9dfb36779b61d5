"""Pictures to PNG files: matplotlib figures and grids of pixels, both atomically."""
import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gen_jax.images import enlarge
from gen_jax.report.files import write_atomically


def save(path: Path, picture: Figure | np.ndarray) -> None:
    """Writes a PNG. picture: a figure, or uint8 pixels [H,W,C] that are enlarged by whole factors. Raises OSError."""
    buffer = io.BytesIO()
    if isinstance(picture, Figure):
        picture.savefig(buffer, format="png", dpi=150)
    else:
        Image.fromarray(enlarge(picture).squeeze()).save(buffer, format="png")
    write_atomically(path, buffer.getvalue())
