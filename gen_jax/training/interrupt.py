"""SIGTERM, Ctrl-C, and the SIGHUP of a terminal that is closed; where nohup ignores that, it stays ignored.

In training they are noted, and heeded at the next step. Elsewhere nothing is lost by stopping, since files are written
whole or not at all: they end what goes on, wherever it is. A second Ctrl-C leaves at once.
"""
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

EXIT_CODES = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGTERM: 143}
PATIENCE = 5.0  # seconds that a call outside of Python, a compilation or a device's work, may take to come back


class Interrupted(BaseException):
    """The run was asked to stop, and has done so. No Exception: whoever catches faults does not catch this."""

    def __init__(self, signum: int, message: str):
        super().__init__(message)
        self.exit_code = EXIT_CODES[signum]


class Interrupts:
    """Remembers the first signal. A context: the handlers before are put back at its end.

    A signal that was noted, and that nothing has heeded until then, is passed on to them.
    """

    def __init__(self):
        self.signum: int | None = None
        self.heeded = False  # whether Interrupted has been raised for it
        self.message, self.patient = "", True  # what is said where it stops at once; "": signals are noted

    def __enter__(self) -> "Interrupts":
        self.previous = {signum: signal.signal(signum, self._note) for signum in EXIT_CODES
                         if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN}
        read_end, self.write_end = os.pipe()
        os.set_blocking(self.write_end, False)
        self.previous_hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        self.previous_fd = signal.set_wakeup_fd(self.write_end, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(read_end,), daemon=True).start()
        return self

    def __exit__(self, kind: type | None, *_) -> None:
        signal.set_wakeup_fd(self.previous_fd)
        os.close(self.write_end)
        sys.unraisablehook = self.previous_hook
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)
        if self.signum is not None and not self.heeded and kind is None:
            signal.raise_signal(self.signum)

    def requested(self) -> bool:
        """Whether the run should stop."""
        return self.signum is not None

    def raise_if_requested(self, message: str) -> None:
        """Raises Interrupted if the run should stop."""
        if self.signum is not None:
            self.heeded = True
            raise Interrupted(self.signum, message)

    @contextlib.contextmanager
    def at_once(self, message: str, patient: bool = False) -> Iterator[None]:
        """A context. A signal inside it raises Interrupted at once; a signal that came before raises it at the start.

        message: what Interrupted says. Interrupted is raised in the main thread, which may be in a call outside of
        Python. patient: whether that call is waited for, however long it takes; else the process ends after PATIENCE.
        """
        before = self.message, self.patient
        self.message, self.patient = message, patient
        try:
            self.raise_if_requested(message)
            yield
        finally:
            self.message, self.patient = before

    def _note(self, signum: int, frame) -> None:
        self.signum = signum
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the system's: it ends the process wherever it is
        if self.message:
            self.raise_if_requested(self.message)

    def _unraisable(self, fault) -> None:
        """Says nothing of an Interrupted that was raised where nothing can be, in a collection of garbage say."""
        if isinstance(fault.exc_value, Interrupted):
            self.heeded = False
        else:
            self.previous_hook(fault)

    def _watch(self, read_end: int) -> None:
        """Ends the process where the main thread has not heeded a signal. It runs in a thread of its own."""
        with os.fdopen(read_end, "rb", buffering=0) as signals:
            while signum := signals.read(1):
                time.sleep(PATIENCE)
                if signum[0] in EXIT_CODES and self.message and not self.patient:
                    with contextlib.suppress(OSError):  # a terminal that is gone
                        os.write(2, f"{Path(sys.argv[0]).name}: {self.message}\n".encode())
                    os._exit(EXIT_CODES[signum[0]])
