"""Pictures to files, atomically: matplotlib figures and grids of pixels to PNG, animations to GIF."""
import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gen_jax.evals.trained import Animation
from gen_jax.images import enlarge
from gen_jax.report.files import write_atomically

FRAME_MS, LAST_MS = 100, 2000  # how long a frame of an animation stands, and its last


def save(path: Path, picture: Figure | np.ndarray | Animation) -> None:
    """Writes path.png, or path.gif of an animation; grids of pixels [H,W,C] are enlarged by whole factors.

    path: without its ending. Raises OSError.
    """
    buffer, ending = io.BytesIO(), "png"
    if isinstance(picture, Animation):
        ending = "gif"
        first, *rest = [Image.fromarray(frame.squeeze()) for frame in picture.frames]
        first.save(buffer, format="gif", save_all=True, append_images=rest, loop=0,
                   duration=[FRAME_MS] * len(rest) + [LAST_MS])
    elif isinstance(picture, Figure):
        picture.savefig(buffer, format="png", dpi=150)
    else:
        Image.fromarray(enlarge(picture).squeeze()).save(buffer, format="png")
    write_atomically(path.with_name(f"{path.name}.{ending}"), buffer.getvalue())
