"""The progress line: written over in place on a terminal, plain lines elsewhere."""
import contextlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

PLAIN_SECONDS = 10.0  # elsewhere, at most one line in so many seconds beside the first and the last of training
TICK_SECONDS = 1.0  # how often the line is written anew while an eval runs


class Line:
    """One line on stderr that says where things stand."""

    def __init__(self, stream=None):
        self.stream = sys.stderr if stream is None else stream
        self.terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"  # which knows no escape codes
        self.text, self.printed = "", time.monotonic() - PLAIN_SECONDS

    def show(self, parts: Sequence[str], plain: bool = True, last: bool = False) -> None:
        """Shows as many of parts as fit the terminal, the first first.

        Elsewhere all of them, where `plain` says so and PLAIN_SECONDS have passed, or it is the last line.
        """
        if self.terminal:
            columns = shutil.get_terminal_size(_size_of(self.stream)).columns
            rows = len(self.text) // columns  # that a terminal which became narrower has made of the line
            self.text = fitting(parts, columns)
            self._write("\r" + "\x1b[K\x1b[A" * rows + f"\x1b[K{self.text}")
        elif plain and (last or time.monotonic() - self.printed > PLAIN_SECONDS):
            self.printed = time.monotonic()
            self._write("  ".join(parts) + "\n")

    @contextlib.contextmanager
    def ticking(self, parts: Callable[[], Sequence[str]]) -> Iterator[None]:
        """Shows parts() again and again while the code inside runs."""
        ended = threading.Event()

        def tick():
            while not ended.wait(TICK_SECONDS):
                self.show(parts())
        self.show(parts())
        thread = threading.Thread(target=tick, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextlib.contextmanager
    def evaluating(self, what: str) -> Iterator[None]:
        """Says that the code inside runs the eval `what`, and for how long; then nothing of it stays on a terminal."""
        began = time.monotonic()
        try:
            with self.ticking(lambda: [f"eval {what}", clock(time.monotonic() - began)]):
                yield
        finally:
            self.close("\r\x1b[K")

    def close(self, end: str = "\n") -> None:
        """Ends the line: on a terminal it stays, unless `end` takes it away."""
        if self.terminal and self.text:
            self._write(end)
            self.text = ""

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


class ProgressLine:
    """Where training stands: time left and speed, the step, and the metrics."""

    def __init__(self, total_steps: int, steps_per_epoch: int, step_size: int, stream=None):
        self.total_steps, self.steps_per_epoch, self.step_size = total_steps, steps_per_epoch, step_size
        self.line, self.metrics = Line(stream), []
        self.began, self.first_step, self.step = time.monotonic(), 0, 0

    def start(self, step: int) -> None:
        """Starts the clock of this session's speed. step: steps finished before."""
        self.began, self.first_step, self.step = time.monotonic(), step, step

    def update(self, step: int, metrics: Mapping[str, float] | None = None) -> None:
        """Shows where training stands. metrics: the epoch's, when one has just ended."""
        self.step = step
        if metrics is not None:
            self.metrics = _texts(metrics)
        self.line.show([*self._where(), *self.metrics], plain=metrics is not None, last=step == self.total_steps)

    def evaluating(self, what: str) -> contextlib.AbstractContextManager:
        """Says that the code inside runs the eval `what`."""
        return self.line.ticking(lambda: [*self._where(), f"eval {what}"])

    def close(self) -> None:
        """Ends the line."""
        self.line.close()

    def _where(self) -> list[str]:
        seconds = max(time.monotonic() - self.began, 1e-9)
        rate = (self.step - self.first_step) / seconds
        left = clock((self.total_steps - self.step) / rate) if rate else "--:--"
        where = f"step {self.step:,}/{self.total_steps:,}"
        if per_epoch := self.steps_per_epoch:
            where = f"epoch {self.step / per_epoch:.1f}/{self.total_steps / per_epoch:g}"
        return [f"{left} left", f"{rate * self.step_size:,.0f} examples/s", where]


def fitting(parts: Sequence[str], columns: int) -> str:
    """As many of parts, from the first, as fit in a row; its last column stays free, for a full row may wrap."""
    room = max(columns - 1, 0)
    count = max((n for n in range(1, len(parts) + 1) if len("  ".join(parts[:n])) <= room), default=1)
    return "  ".join(parts[:count])[:room]


def clock(seconds: float) -> str:
    """minutes:seconds, or hours:minutes:seconds."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"


def _texts(metrics: Mapping[str, float]) -> list[str]:
    """Metrics as the line has them, losses first; both splits' values of one term stand together."""
    def text(name: str) -> str:
        split, _, term = name.partition("/")
        if split == "train" and (test := metrics.get(f"test/{term}")) is not None:
            return f"{term} {metrics[name]:.2f} (test {test:.2f})"
        return f"{name} {metrics[name]:.2f}"
    shown = [name for name in metrics if _shown(name)
             and not (name.startswith("test/") and f"train/{name.removeprefix('test/')}" in metrics)]
    return [text(name) for name in sorted(shown, key=lambda name: not name.endswith("loss"))]


def _shown(name: str) -> bool:
    """Whether a metric is worth its room on the line: losses, and what else the splits have."""
    return name.endswith("/loss") or (name.startswith(("train/", "test/")) and not name.endswith("_norm"))


def _size_of(stream) -> os.terminal_size:
    """The size of the stream's own terminal, 80 columns where it does not say."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return os.terminal_size((columns or 80, lines or 24))
