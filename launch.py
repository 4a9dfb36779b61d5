"""Trains, evaluates and samples generative models.

python launch.py --config=configs/vae_mnist.py --workdir=runs/first --config.seed=1
"""
import signal
import sys
from pathlib import Path

signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to save, Ctrl-C ends the process at once

# ruff: noqa: E402
import jax
from absl import app, logging

from gen_jax import command_line
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.folders import keep_compiled_code
from gen_jax.report.terminal import Plain, say
from gen_jax.training.interrupt import Interrupted
from gen_jax.training.loop import Diverged

USER_ERROR, DIVERGED = 2, 3  # exit codes; after a signal it is 128 + the signal's number
DEFAULT_CONFIG = Path(__file__).parent / "configs" / "vae_digits.py"

jax.config.config_with_absl()


def main(launch: command_line.Launch) -> None:
    keep_compiled_code()
    find("modes", launch.mode).run(launch)


def or_exit(function, *args):
    """function(*args); what the user got wrong, or a stop on the way, is one line and an exit code."""
    try:
        return function(*args)
    except UserError as error:
        code, lines = USER_ERROR, error.faults
    except Diverged as error:
        code, lines = DIVERGED, [str(error)]
    except Interrupted as error:
        code, lines = error.exit_code, [str(error)]
    for line in lines:
        say(f"launch.py: {line}")
    sys.exit(code)


if __name__ == "__main__":
    logging.set_verbosity(logging.WARNING)
    logging.get_absl_handler().setFormatter(Plain())
    app.run(lambda launch: or_exit(main, launch),
            flags_parser=lambda argv: or_exit(command_line.parse, argv, str(DEFAULT_CONFIG)))
