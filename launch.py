"""Trains, evaluates and samples generative models.

python launch.py --config=configs/vae_mnist.py --workdir=runs/first --config.seed=1
"""
# ruff: noqa: E402
import contextlib
import os
import signal
import sys
from pathlib import Path

from gen_jax import child
from gen_jax.report.terminal import Plain, guard, say

if __name__ == "__main__":
    guard()  # before anything that opens a file, or takes hold of stdout and stderr
    child.begin()  # before anything that counts cores


def stopped_early(signum, frame):
    """Until there is something to save, a signal ends the process at once."""
    with contextlib.suppress(OSError):  # a terminal that is gone
        os.write(2, b"launch.py: stopped before anything was begun\n")
    os._exit(128 + signum)


for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:  # which is nohup's
        signal.signal(signum, stopped_early)
os.environ["MPLBACKEND"] = "agg"  # figures are written, never shown

try:
    import jax
except ValueError as error:  # of an environment variable of JAX's
    sys.exit(print(f"launch.py: {error}", file=sys.stderr) or 2)
from absl import app, logging

from gen_jax import command_line, memory, runtime
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.folders import keep_compiled_code
from gen_jax.training.interrupt import EXIT_CODES, Interrupted, Interrupts
from gen_jax.training.loop import Diverged

DEFAULT_CONFIG = Path(__file__).parent / "configs" / "vae_digits.py"

jax.config.config_with_absl()


def main(launch: command_line.Launch) -> None:
    runtime.check()
    keep_compiled_code()
    with Interrupts() as interrupts, interrupts.at_once("stopped; nothing was lost"):
        find("modes", launch.mode).run(launch)


def or_exit(function, *args):
    """function(*args); what the user got wrong, or a stop on the way, is one line and an exit code."""
    try:
        return function(*args)
    except UserError as error:
        code, lines = error.exit_code, error.faults
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if not (line := memory.shortage(error)):
            raise
        code, lines = UserError.exit_code, [line]
    except (Diverged, Interrupted) as error:
        code, lines = error.exit_code, [str(error)]
    for line in lines:
        say(f"launch.py: {line}")
    sys.exit(code)


if __name__ == "__main__":
    logging.set_verbosity(logging.WARNING)
    logging.get_absl_handler().setFormatter(Plain())
    try:
        app.run(lambda launch: or_exit(main, launch),
                flags_parser=lambda argv: or_exit(command_line.parse, argv, str(DEFAULT_CONFIG)))
    except SystemExit as end:
        if end.code in EXIT_CODES.values():
            with contextlib.suppress(OSError, ValueError):  # closed, or full
                sys.stdout.flush()
            os._exit(end.code)  # threads that decode or download need not come to their end
        raise
