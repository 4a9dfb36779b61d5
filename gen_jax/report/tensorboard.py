"""A run as TensorBoard shows it, where config.log.tensorboard asks for it."""
import contextlib
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.grids import enlarge
from gen_jax.report.settings import values_of


class TensorBoard:
    """Events in a run's folder: scalars by name, pictures by name, the config, and what the run has ended with."""

    def __init__(self, folder: Path, config: ConfigDict, step: int):
        """step: of the run; what an earlier launch has written of later ones is dropped.

        Without tensorboardX it is a UserError.
        """
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise UserError("log.tensorboard: needs tensorboardX; pip install -e '.[tensorboard]'") from None
        self.folder, self.settings, self.step = folder, values_of(config), step
        self._open = partial(SummaryWriter, str(folder), purge_step=step + 1)

    @cached_property
    def writer(self) -> Any:
        """tensorboardX's writer. Its file is made when something is written. A folder's first file has the config."""
        is_first = not list(self.folder.glob("events.out.tfevents*"))
        writer = self._open()
        if is_first:
            rows = "\n".join(f"| {key} | {value!r} |" for key, value in self.settings.items())
            writer.add_text("config", f"| key | value |\n|---|---|\n{rows}", self.step)
        return writer

    def close(self) -> None:
        """Waits until all is in the file."""
        if "writer" in vars(self):
            self.writer.close()

    def record(self, record: Mapping[str, Any], images_per_s: float) -> None:
        """Adds one record's numbers at its step, and the speed of training so far."""
        numbers = {_tag(name): value for name, value in record.items() if "/" in name}
        self.scalars(numbers | {"speed/images_per_s": images_per_s}, record["step"])

    def scalars(self, numbers: Mapping[str, Any], step: int) -> None:
        """Adds numbers by their tags; sentences become texts."""
        for tag, value in numbers.items():
            if isinstance(value, str):
                self.writer.add_text(tag, value, step)
            elif value is not None:
                self.writer.add_scalar(tag, value, step)
        self.writer.flush()

    def picture(self, name: str, result: Any, step: int) -> None:
        """Adds what an eval drew: a figure, or pixels uint8 [H,W,C]. What else an eval gives is left out."""
        if isinstance(result, Figure):
            canvas = FigureCanvasAgg(result)
            canvas.draw()
            result = np.asarray(canvas.buffer_rgba())[..., :3]
        elif isinstance(result, np.ndarray):
            result = enlarge(result)
        else:
            return
        self.writer.add_image(name, result, step, dataformats="HWC")
        self.writer.flush()

    def end(self, numbers: Mapping[str, Any], step: int) -> None:
        """Adds the final numbers, and for TensorBoard's table of runs the config beside them."""
        from tensorboardX.summary import hparams
        self.scalars({f"final/{name}": value for name, value in numbers.items()}, step)
        metrics = {f"final/{name}": value for name, value in numbers.items() if isinstance(value, (int, float))}
        settings = {key: value if isinstance(value, (bool, int, float, str)) else repr(value)
                    for key, value in self.settings.items()}
        for summary in hparams(settings, metrics):
            self.writer.file_writer.add_summary(summary)
        self.writer.flush()


@contextlib.contextmanager
def board_of(config: ConfigDict, folder: Path, step: int) -> Iterator[TensorBoard | None]:
    """What shows the run in TensorBoard, where config asks for it; closed at the end, however that comes.

    One is open at a time: a second one within a second would have the file name of the first.

    folder, step: see TensorBoard.
    """
    board = TensorBoard(folder, config, step) if config.log.tensorboard else None
    try:
        yield board
    finally:
        if board:
            board.close()


def _tag(name: str) -> str:
    """The tag of a metric: norms stand in a group of their own, where they are in no one's way."""
    return f"norms/{name.replace('/', '_')}" if name.endswith("_norm") else name
