"""The command line: absl flags and config overrides, with one line for every fault."""
import os
import runpy
from functools import partial
from pathlib import Path
from typing import NamedTuple

from absl import flags
from ml_collections import ConfigDict, config_flags

from gen_jax.config import validate
from gen_jax.errors import UserError
from gen_jax.find import nearest

MODES = ("train", "eval", "sample", "data", "dry", "bench")
FAULTS = (flags.Error, KeyError, AttributeError, TypeError, ValueError, IndexError)


class Launch(NamedTuple):
    """What the command line asks for."""

    mode: str  # one of MODES
    config: ConfigDict
    overrides: dict  # the values given as --config.a.b=value, by "a.b"
    workdir: Path
    num: int


def parse(argv: list[str], default_config: str) -> Launch:
    """What argv asks for. Faults are one UserError with a line each; a config file that raises keeps its traceback.

    default_config: path of the config that runs where none is named.
    """
    program, words = argv[0], _join_values(argv[1:])
    named = [word.partition("=")[2] for word in words if word.startswith("--config=")]
    config_name = named[-1] if named else default_config
    _check_config(config_name)
    # First, so that overrides may stand before it too.
    words = [program, f"--config={config_name}", *(word for word in words if not word.startswith("--config="))]
    values = flags.FLAGS
    _define(values, words)
    for name in ("config", "mode", "workdir", "num"):
        values.register_key_flag_for_module(program, values[name])  # --help shows these
    try:
        rest = values(words)
    except FAULTS as error:
        faults = {word: fault for word in words[2:] if (fault := _fault(word, config_name, program))}
        right = [word for word in words if word not in faults and word.startswith("--config")]
        raise UserError(*(faults.values() or [_line(error)]), *_config_faults([program, *right])) from error
    if rest[1:]:
        raise UserError(*(f"{word!r}: not a flag; flags are written --name=value" for word in rest[1:]))
    path, _, variant = config_name.partition(":")
    run = Path(path).stem + (f"_{variant}" if variant else "")
    return Launch(values.mode, values.config, config_flags.get_override_values(values["config"]),
                  Path(values.workdir or Path("runs") / run), values.num)


def _define(values: flags.FlagValues, words: list[str]) -> None:
    """Defines the launcher's flags. words: the program and its arguments, in which overrides are looked for."""
    config_flags.DEFINE_config_file("config", None, "File of a config, as in configs/vae_mnist.py; a variant follows a "
                                    "colon: configs/vae_mnist.py:smoke. Any key is overridden by "
                                    "--config.<section>.<key>=<value>; --mode=dry lists them.",
                                    lock_config=True, flag_values=values, sys_argv=words)
    flags.DEFINE_enum("mode", "train", MODES, "train; eval: measure and draw a trained run again; sample: draw --num "
                      "images from one; data: show what a config trains on; dry: show config, nets and cost; bench: "
                      "time the training step", flag_values=values)
    flags.DEFINE_string("workdir", None, "Folder of the run; default runs/<config>. A run there is resumed.",
                        flag_values=values)
    flags.DEFINE_integer("num", 64, "--mode=sample: how many images", flag_values=values)


def _check_config(name: str) -> None:
    """Loads the config outside of any handler: what its file raises is the file's own fault, with a traceback."""
    path, _, _ = name.partition(":")
    if not os.path.isfile(path):
        there = [str(file) for file in sorted(Path(path).parent.glob("*.py")) if file.stem not in ("__init__", "base")]
        raise UserError(f"--config={path}: there is no such file{nearest(path, there) if there else ''}")
    _load_config(name)


def _load_config(name: str) -> ConfigDict:
    """What the config file's get_config() gives."""
    path, _, variant = name.partition(":")
    get_config = runpy.run_path(path).get("get_config")
    if get_config is None:
        raise UserError(f"--config={path}: defines no get_config()")
    return get_config(variant) if variant else get_config()


def _fault(word: str, config_name: str, program: str) -> str:
    """The line for one word, --name=value, parsed alone; "" if nothing is wrong with it."""
    name = word.lstrip("-").partition("=")[0]
    if not word.startswith("-"):
        return f"{word!r}: not a flag; flags are written --name=value"
    if name.removeprefix("no").startswith("config."):
        if line := _unknown_key(name.removeprefix("no"), _load_config(config_name)):
            return line
        values, words = flags.FlagValues(), [program, f"--config={config_name}", word]
        _define(values, words)
        check = partial(values, words)
    elif name in flags.FLAGS:
        check = partial(flags.FLAGS[name].parser.parse, word.partition("=")[2])
    elif name.removeprefix("no") in flags.FLAGS:
        return ""
    else:
        return f"--{name}: there is no such flag{nearest(name, ['config', 'mode', 'workdir', 'num', 'help'])}"
    try:
        check()
    except FAULTS as error:
        return f"{word}: {_line(error).removeprefix(f'flag {word}: ')}"
    return ""


def _join_values(words: list[str]) -> list[str]:
    """Words with "--name value" and "-name=value" written "--name=value"."""
    joined = []
    for word in words:
        if word.startswith("-") and not word.startswith("--"):
            word = f"-{word}"
        if joined and not word.startswith("-") and joined[-1].startswith("-") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _config_faults(words: list[str]) -> tuple[str, ...]:
    """The faults of the config that the words give, beside those of other words."""
    values = flags.FlagValues()
    _define(values, words)
    try:
        values(words)
        validate(values.config)
    except UserError as error:
        return error.faults
    except FAULTS:
        return ()
    return ()


def _unknown_key(name: str, config: ConfigDict) -> str:
    """The line for config.a.b where there is no key a.b, or "" where there is. A tuple's item is written a.b[0]."""
    section, at = config, "config"
    for part in name.partition("[")[0].split(".")[1:]:
        if not isinstance(section, ConfigDict):
            return f"--{name}: {at} is a value, it has no keys"
        if part not in section:
            return f"--{name}: {at} has no key {part!r}{nearest(part, sorted(section))}"
        section, at = section[part], f"{at}.{part}"
    return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
