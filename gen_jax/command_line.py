"""The command line: absl flags and config overrides, with one line for every fault."""
import difflib
import os
import runpy
from pathlib import Path
from typing import NamedTuple

from absl import flags
from ml_collections import ConfigDict, config_flags

from gen_jax.errors import UserError
from gen_jax.find import nearest

MODES = ("train", "eval", "sample", "data", "dry")
FAULTS = (flags.Error, KeyError, AttributeError, TypeError, ValueError, IndexError)


class Launch(NamedTuple):
    """What the command line asks for."""

    mode: str  # one of MODES
    config: ConfigDict
    overrides: dict  # the values given as --config.a.b=value, by "a.b"
    workdir: Path
    num: int


def define(values: flags.FlagValues, default_config: str) -> None:
    """Defines the launcher's flags. default_config: path of the config that runs where none is named."""
    config_flags.DEFINE_config_file("config", default_config, "File of a config, as in configs/vae_mnist.py; a variant "
                                    "follows a colon: configs/vae_mnist.py:smoke. Any key is overridden by "
                                    "--config.<section>.<key>=<value>.", lock_config=True, flag_values=values)
    flags.DEFINE_enum("mode", "train", MODES, "train; eval: measure and draw a trained run again; sample: draw --num "
                      "images from one; data: show what a config trains on; dry: show config, nets and cost",
                      flag_values=values)
    flags.DEFINE_string("workdir", None, "Folder of the run; default runs/<config>. A run there is resumed.",
                        flag_values=values)
    flags.DEFINE_integer("num", 64, "--mode=sample: how many images", flag_values=values)


def parse(argv: list[str], default_config: str) -> Launch:
    """What argv asks for, flags having been defined. Faults are one UserError with a line each; a config file that raises keeps its traceback."""
    path, _, _ = (name := _config_name(argv, default_config)).partition(":")
    if not os.path.isfile(path):
        there = [str(file) for file in sorted(Path(path).parent.glob("*.py")) if file.stem not in ("__init__", "base")]
        raise UserError(f"--config={path}: there is no such file{nearest(path, there) if there else ''}")
    _load_config(name)
    values = flags.FLAGS
    try:
        rest = values(argv)
    except FAULTS as error:
        raise UserError(*(_diagnose(argv, default_config) or [_line(error)])) from error
    if rest[1:]:
        raise UserError(*(f"{word!r}: not a flag; flags are written --name=value" for word in rest[1:]))
    path, _, variant = name.partition(":")
    run = Path(path).stem + (f"_{variant}" if variant else "")
    return Launch(values.mode, values.config, config_flags.get_override_values(values["config"]),
                  Path(values.workdir or Path("runs") / run), values.num)


def _config_name(argv: list[str], default: str) -> str:
    """The value of --config in argv, or the default."""
    for i, word in enumerate(argv):
        if word in ("--config", "-config") and i + 1 < len(argv):
            default = argv[i + 1]
        elif word.startswith(("--config=", "-config=")):
            default = word.partition("=")[2]
    return default


def _load_config(name: str) -> ConfigDict:
    """The config, outside of any handler: what its file raises is the file's own fault, with a traceback."""
    path, _, variant = name.partition(":")
    get_config = runpy.run_path(path).get("get_config")
    if get_config is None:
        raise UserError(f"--config={path}: defines no get_config()")
    return get_config(variant) if variant else get_config()


def _diagnose(argv: list[str], default_config: str) -> list[str]:
    """A line for each word of argv that is at fault: every one is parsed alone, beside --config."""
    config, lines = f"--config={_config_name(argv, default_config)}", []
    words = _join_values(argv[1:])
    for word in words:
        values = flags.FlagValues()
        for flag in flags.FLAGS:  # jax's own and absl's flags
            if flag not in ("config", "mode", "workdir", "num") and not flag.startswith("config."):
                values[flag] = flags.FLAGS[flag]
        define(values, default_config)
        try:
            values([argv[0], config, word])
        except flags.UnrecognizedFlagError as error:
            close = difflib.get_close_matches(error.flagname, [*values, "config.train.epochs"], 1)
            lines.append(f"--{error.flagname}: there is no such flag"
                         + (f"; did you mean --{close[0]}?" if close else "; --help lists them"))
        except (KeyError, AttributeError):
            lines.append(_unknown_key(word, _load_config(config.partition("=")[2])))
        except FAULTS as error:
            lines.append(_line(error))
    return lines


def _join_values(words: list[str]) -> list[str]:
    """Words with "--name value" written "--name=value"."""
    joined = []
    for word in words:
        if joined and not word.startswith("-") and joined[-1].startswith("-") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _unknown_key(word: str, config: ConfigDict) -> str:
    """The line for --config.a.b=value where there is no key a.b."""
    name = word.lstrip("-").partition("=")[0]
    section, at = config, "config"
    for part in name.split(".")[1:]:
        if not isinstance(section, ConfigDict) or part not in section:
            known = sorted(section) if isinstance(section, ConfigDict) else []
            return f"--{name}: {at} has no key {part!r}{nearest(part, known)}"
        section, at = section[part], f"{at}.{part}"
    return f"--{name}: cannot be set"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
