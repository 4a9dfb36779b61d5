"""Folders outside of a run's, and the name of a run's own."""
import os
import tempfile
from pathlib import Path

import jax

from gen_jax.errors import UserError


def expanded(path: str | Path, name: str) -> Path:
    """path with ~ written out. name: of the setting, for the UserError where nobody's home is meant."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UserError(f"{name}={path}: there is no such home folder; write the path out") from None


def name_of(config: str) -> str:
    """The name of the folder that a config's run has by default: "vae_mnist_smoke" of configs/vae_mnist.py:smoke."""
    path, _, variant = config.partition(":")
    return Path(path).stem + (f"_{variant}" if variant else "")


def user_cache() -> Path:
    """Where the user's caches are: $XDG_CACHE_HOME/gen_jax, else ~/.cache/gen_jax. It may be deleted at any time.

    A user without a home has them in the folder for temporary files.
    """
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "gen_jax").expanduser()
    except RuntimeError:
        return Path(tempfile.gettempdir(), f"gen_jax_{os.getuid()}")


def keep_compiled_code() -> None:
    """Has JAX keep compiled programs in the user's cache, unless $JAX_COMPILATION_CACHE_DIR or its flag names a folder.

    A second launch then starts at once. A folder that cannot be written costs nothing but that.
    """
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(user_cache() / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
