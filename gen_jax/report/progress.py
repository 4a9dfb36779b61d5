"""The progress line: rewritten in place on a terminal, one plain line an epoch elsewhere."""
import sys
import time
from collections.abc import Mapping

PLAIN_SECONDS = 10.0  # elsewhere, at most one line in so many seconds beside the first and the last


class ProgressLine:
    """Says where training stands, on stderr."""

    def __init__(self, total_steps: int, steps_per_epoch: int, step_size: int, stream=sys.stderr):
        self.total_steps, self.steps_per_epoch, self.step_size = total_steps, steps_per_epoch, step_size
        self.stream, self.terminal = stream, stream.isatty()
        self.began, self.first_step, self.printed = time.monotonic(), None, -1e9
        self.text = ""

    def start(self, step: int) -> None:
        """Starts the clock of this session's speed. step: steps finished before."""
        self.began, self.first_step = time.monotonic(), step

    def update(self, step: int, metrics: Mapping[str, float] | None = None) -> None:
        """Shows where training stands. metrics: the epoch's, when one has just ended."""
        if metrics is not None:
            self.text = "  ".join(f"{name} {value:.2f}" for name, value in metrics.items() if _shown(name))
        if self.terminal:
            self.stream.write(f"\r\x1b[K{self._line(step)}")
        elif metrics is not None and (time.monotonic() - self.printed > PLAIN_SECONDS or step == self.total_steps):
            self.stream.write(self._line(step) + "\n")
            self.printed = time.monotonic()
        self.stream.flush()

    def close(self) -> None:
        """Ends the line."""
        if self.terminal:
            self.stream.write("\n")
            self.stream.flush()

    def _line(self, step: int) -> str:
        seconds = max(time.monotonic() - self.began, 1e-9)
        rate = (step - self.first_step) / seconds
        left = (self.total_steps - step) / rate if rate else float("inf")
        return (f"{self._where(step)}  {self.text}  {rate * self.step_size:,.0f} examples/s  {_clock(left)} left")

    def _where(self, step: int) -> str:
        if not self.steps_per_epoch:
            return f"step {step:,}/{self.total_steps:,}"
        return f"epoch {step / self.steps_per_epoch:.1f}/{self.total_steps / self.steps_per_epoch:g}"


def _shown(name: str) -> bool:
    """Whether a metric is worth its room on the line: losses, and what else the splits have."""
    return name.endswith("/loss") or (name.startswith(("train/", "test/")) and not name.endswith("_norm"))


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "--:--"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"
