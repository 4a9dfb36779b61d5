"""Folders outside of a run's."""
import os
from pathlib import Path

import jax


def user_cache() -> Path:
    """Where the user's caches are: $XDG_CACHE_HOME/gen_jax, else ~/.cache/gen_jax. It may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "gen_jax").expanduser()


def keep_compiled_code() -> None:
    """Has JAX keep compiled programs in the user's cache, unless $JAX_COMPILATION_CACHE_DIR or its flag names a folder.

    A second launch then starts at once. A folder that cannot be written costs nothing but that.
    """
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(user_cache() / "compiled"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
