"""SIGTERM and Ctrl-C: the first asks the run to save and stop at the next step, a second Ctrl-C leaves at once."""
import signal

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interrupted(Exception):
    """The run was asked to stop, and has done so between two steps or two evals."""

    def __init__(self, signum: int, message: str):
        super().__init__(message)
        self.exit_code = EXIT_CODES[signum]


class Interrupts:
    """Remembers the first signal. A context: the handlers before are put back at its end."""

    def __init__(self):
        self.signum: int | None = None

    def __enter__(self) -> "Interrupts":
        self.previous = {signum: signal.signal(signum, self._note) for signum in EXIT_CODES}
        return self

    def __exit__(self, *_) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)

    def requested(self) -> bool:
        """Whether the run should stop."""
        return self.signum is not None

    def raise_if_requested(self, message: str) -> None:
        """Raises Interrupted if the run should stop."""
        if self.signum is not None:
            raise Interrupted(self.signum, message)

    def _note(self, signum: int, frame) -> None:
        self.signum = signum
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the system's: it ends the process wherever it is
