"""What evals give, to files: figures and pixels to PNG, animations to GIF, arrays to .npz, pages to HTML."""
import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from gen_jax.evals import Animation, Arrays, Page
from gen_jax.grids import enlarge
from gen_jax.report.files import write_atomically

FRAME_MS, LAST_MS = 100, 2000  # how long a frame of an animation stands, and its last


def save(path: Path, result: Figure | np.ndarray | Animation | Arrays | Page) -> None:
    """Writes result to path with its ending; pixels [H,W,C] are enlarged by whole factors.

    path: without its ending. Raises OSError.
    """
    ending, content = _content(result)
    write_atomically(path.with_name(f"{path.name}.{ending}"), content)


def _content(result) -> tuple[str, bytes]:
    if isinstance(result, Page):
        return "html", result.html
    buffer, ending = io.BytesIO(), "png"
    if isinstance(result, Arrays):
        ending = "npz"
        np.savez_compressed(buffer, **result.arrays)
    elif isinstance(result, Animation):
        ending = "gif"
        first, *rest = [Image.fromarray(frame.squeeze()) for frame in result.frames]
        first.save(buffer, format="gif", save_all=True, append_images=rest, loop=0,
                   duration=[FRAME_MS] * len(rest) + [LAST_MS])
    elif isinstance(result, Figure):
        result.savefig(buffer, format="png", dpi=150)
    else:
        Image.fromarray(enlarge(result).squeeze()).save(buffer, format="png")
    return ending, buffer.getvalue()
