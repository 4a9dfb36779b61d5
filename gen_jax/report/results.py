"""What evals give, to files: figures to PNG, PDF or SVG, pixels to PNG, animations to GIF, arrays to .npz, pages to
HTML."""
import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from ml_collections import ConfigDict
from PIL import Image, ImageDraw, ImageFont

from gen_jax.config import RUN
from gen_jax.evals import Animation, Arrays, Page
from gen_jax.grids import enlarge
from gen_jax.style import styled
from gen_jax.whole import write_atomically

FRAME_MS, LAST_MS = 100, 2000  # how long a frame of an animation stands, and its last
CAPTION = 0.04  # the height of an animation's text, of its width
REPORT = ConfigDict(RUN["report"].values())
UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}  # the same figure is the same file


def save(path: Path, result: Figure | np.ndarray | Animation | Arrays | Page, report: ConfigDict = REPORT) -> Path:
    """Writes result to path with its ending, and returns that file. Pixels [H,W,C] are enlarged by whole factors.

    path: without its ending; report: config.report, how figures are written. Raises OSError.
    """
    ending, data = content(result, report)
    file = path.with_name(f"{path.name}.{ending}")
    write_atomically(file, data)
    return file


def remove_figures(folder: Path, kept: str) -> None:
    """Removes the figures in folder that are of another format than the one that is kept. Raises OSError."""
    for ending in UNDATED.keys() - {kept}:
        for file in folder.glob(f"*.{ending}"):
            file.unlink()


def content(result: Figure | np.ndarray | Animation | Arrays | Page, report: ConfigDict = REPORT) -> tuple[str, bytes]:
    """(ending, bytes) of the file that save writes."""
    if isinstance(result, Page):
        return "html", result.html
    buffer, ending = io.BytesIO(), "png"
    if isinstance(result, Arrays):
        ending = "npz"
        np.savez_compressed(buffer, **result.arrays)
    elif isinstance(result, Animation):
        ending = "gif"
        first, *rest = map(_captioned, result.frames, result.captions)
        first.save(buffer, format="gif", save_all=True, append_images=rest, loop=0,
                   duration=[FRAME_MS] * len(rest) + [LAST_MS])
    elif isinstance(result, Figure):
        ending = report.format
        size = result.get_size_inches().copy()
        result.set_size_inches(report.scale * size)
        with styled():
            result.savefig(buffer, format=ending, dpi=report.dpi, metadata=UNDATED[ending])
        result.set_size_inches(size)  # whoever draws the figure next finds it as it was
    else:
        Image.fromarray(enlarge(result).squeeze()).save(buffer, format="png")
    return ending, buffer.getvalue()


def _captioned(frame: np.ndarray, text: str) -> Image.Image:
    """The picture under a line of text."""
    picture = Image.fromarray(frame.squeeze())
    size = max(12, round(CAPTION * picture.width))
    whole = Image.new(picture.mode, (picture.width, picture.height + 2 * size), "white")
    whole.paste(picture, (0, 2 * size))
    ImageDraw.Draw(whole).text((picture.width / 2, size), text, "black", ImageFont.load_default(size), anchor="mm")
    return whole
