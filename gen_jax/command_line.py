"""The command line: absl flags and config overrides, with one line for every fault."""
import inspect
import os
import re
import runpy
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags
from ml_collections import ConfigDict, config_flags

from gen_jax import sweeps
from gen_jax.config import check_form, declared, validate
from gen_jax.errors import UserError
from gen_jax.find import find, names, nearest
from gen_jax.folders import name_of
from gen_jax.parts import compose, names_at
from gen_jax.report.settings import describe
from gen_jax.report.workdir import Workdir
from gen_jax.settings import Setting, shown

DEFINE = {bool: flags.DEFINE_boolean, int: flags.DEFINE_integer, float: flags.DEFINE_float, str: flags.DEFINE_string}
FAULTS = (flags.Error, KeyError, AttributeError, TypeError, ValueError, IndexError)
COMMON = ["config", "mode", "workdir", "given", "sweep", "help"]  # the flags of every mode
GIVEN, SWEEP = "--given.", "--sweep="
OVERRIDES = ("--config.", "--noconfig.")
NEGATIVE = re.compile(r"-[\d.]")  # the beginning of a negative number


class Launch(NamedTuple):
    """What the command line asks for."""

    mode: str  # a file of gen_jax/modes
    config: ConfigDict
    overrides: dict  # the values given as --config.a.b=value, by "a.b"
    workdir: Path
    given: dict[str, str]  # the texts given as --given.name=text
    options: dict[str, Any]  # the values of the mode's own flags, its FLAGS
    axes: dict[str, tuple[str, ...]] = {}  # the texts of each --sweep=config.a.b=1,2, by "a.b"
    words: tuple[str, ...] = ()  # the program and its arguments; "--name value" is one, --name=value
    config_name: str = ""  # as --config names it

    def words_of(self, overrides: Mapping[str, str], without: Iterable[str] = ()) -> list[str]:
        """The arguments that ask for the same with further overrides. without: names of flags to leave out."""
        kept = [word for word in self.words[1:] if word.lstrip("-").partition("=")[0] not in without]
        return [*kept, *(f"--config.{key}={text}" for key, text in overrides.items())]

    def config_with(self, overrides: Mapping[str, str]) -> ConfigDict:
        """The config with further overrides, texts by dotted key. What is wrong with one is a UserError."""
        words = [self.words[0], *(word for word in self.words_of(overrides) if word.startswith(OVERRIDES))]
        config = _composed(load_config(self.config_name), words)
        try:
            return _parsed(config, words)
        except FAULTS as error:
            faults = filter(None, (_fault(word, config, self.words[0]) for word in words[1:]))
            raise UserError(*(list(faults) or [_line(error)])) from error


def parse(argv: list[str], default_config: str) -> Launch:
    """What argv asks for. Faults are one UserError with a line each; a config file that raises keeps its traceback.

    default_config: path of the config that runs where none is named.
    """
    program, words = argv[0], _join_values(_with_flagfiles(argv[1:]))
    named = [word.partition("=")[2] for word in words if word.startswith("--config=")]
    config_name = named[-1] if named else default_config
    given = {name: text for word in words if word.startswith(GIVEN)
             for name, _, text in [word.removeprefix(GIVEN).partition("=")]}
    swept = [word.removeprefix("--sweep").removeprefix("=") for word in words if f"{word}=".startswith(SWEEP)]
    launched = (program, *words)
    words = [word for word in words if not f"{word}=".startswith(("--config=", GIVEN, SWEEP))]
    load_config(config_name)  # outside of any handler: what the file raises is its own fault, with a traceback
    workdir = Path(_last(words, "workdir") or Path("runs") / name_of(config_name))
    config = _composed(_config_of(config_name, _last(words, "mode"), workdir), words)
    if {"--help", "--h", "--helpfull"} & {*words}:
        print(_help(config_name, config))
        sys.exit(0)
    values = flags.FLAGS
    try:
        _define(values, config, [program, *words])
        rest = values([program, *words])
    except FAULTS as error:
        faults = {word: fault for word in words if (fault := _fault(word, config, program))}
        right = [word for word in words if word not in faults and word.startswith("--config")]
        raise UserError(*(faults.values() or [_line(error)]), *_config_faults(config, [program, *right])) from error
    if rest[1:]:
        raise UserError(*(f"{word!r}: not a flag; flags are written --name=value" for word in rest[1:]))
    own = _flags_of(values.mode)
    if faults := list(_strange(values, bool(given), bool(swept), launched)):
        raise UserError(*faults)
    faults = [f"--{name}={shown(values[name].value)}: {fault}" for name, flag in own.items()
              if values[name].present and (fault := flag.fault(values[name].value))]
    overrides = config_flags.get_override_values(values["config"])
    if faults := [*faults, *_idle(values.config, overrides)]:
        raise UserError(*faults)
    launch = Launch(values.mode, values.config, overrides, workdir, given, {name: values[name].value for name in own},
                    sweeps.axes(swept), launched, config_name)
    if faults := dict.fromkeys(_axis_faults(launch)):
        raise UserError(*faults)
    return launch


def _strange(values: flags.FlagValues, is_given: bool, is_swept: bool, launched: tuple[str, ...]) -> Iterator[str]:
    """A line for each flag that the mode does not have."""
    mode, own = find("modes", values.mode), _flags_of(values.mode)
    for name in (name for name in _all_flags() if name not in own and values[name].present):
        yield f"--{name}: --mode={values.mode} has no such flag{_modes_with(name)}"
    if is_given and not getattr(mode, "TAKES_GIVEN", False):
        yield f"--given: --mode={values.mode} has no such flag; it is of --mode=sample"
    if is_swept and not getattr(mode, "TAKES_SWEEP", False):
        yield f"--sweep: --mode={values.mode} has no such flag; it is of --mode=train"
    for word in _of_a_run(launched) if not getattr(mode, "TAKES_CONFIG", True) else ():
        yield f"{word}: --mode={values.mode} is of runs that have ended, which --workdirs names; leave it out"


def _axis_faults(launch: Launch) -> Iterator[str]:
    """A line for each value of a --sweep that would be none as an override, and each key that is an override too."""
    for key, texts in launch.axes.items():
        if key in launch.overrides:
            yield f"--sweep=config.{key}={','.join(texts)}: --config.{key} is given too; leave one of them out"
            continue
        for text in texts:
            try:
                launch.config_with({key: text})
            except UserError as error:
                yield from error.faults


def _idle(config: ConfigDict, overrides: Mapping[str, Any]) -> Iterator[str]:
    """A line for each override in epochs that has no effect, since config counts in steps there."""
    for epochs, steps in (("train.epochs", "train.steps"), ("evals.every_epochs", "evals.every_steps"),
                          ("checkpoint.every_epochs", "checkpoint.every_steps")):
        section, key = steps.split(".")
        if epochs in overrides and config[section][key] is not None:
            yield f"--config.{epochs}: has no effect where {steps}={config[section][key]}; set --config.{steps}"


def _of_a_run(words: Iterable[str]) -> Iterator[str]:
    """The words that name a config, change it, or name a workdir."""
    return (word for word in words if word.startswith(("--config=", "--config.", "--workdir=")))


def _flags_of(mode: str) -> dict[str, Setting]:
    """The flags that a mode has of its own, by name."""
    return getattr(find("modes", mode), "FLAGS", {})


def _all_flags() -> dict[str, Setting]:
    """The flags that some mode has of its own, by name."""
    return {name: flag for mode in names("modes") for name, flag in _flags_of(mode).items()}


def _modes_with(flag: str) -> str:
    return "; it is of " + ", ".join(f"--mode={mode}" for mode in names("modes") if flag in _flags_of(mode))


def _config_of(name: str, mode: str | None, workdir: Path) -> ConfigDict:
    """The config that overrides are of: the named one, or the run's own for a mode that is of a run."""
    if mode in names("modes") and getattr(find("modes", mode), "NEEDS_RUN", False) and Workdir(workdir).config.exists():
        return Workdir(workdir).stored_config()
    return load_config(name)


def _composed(config: ConfigDict, words: list[str]) -> ConfigDict:
    """config with the sections that the overrides among words ask for."""
    overrides = {key: text for word in words if word.startswith("--config.")
                 for key, _, text in [word.removeprefix("--config.").partition("=")]}
    return compose(config, overrides)


def _last(words: list[str], flag: str) -> str | None:
    """The value of the last --flag=value."""
    return next((word.partition("=")[2] for word in reversed(words) if word.startswith(f"--{flag}=")), None)


def _help(name: str, config: ConfigDict) -> str:
    """What --help prints: the flags, and every key of the config with its meaning."""
    modes = "\n".join(f"  {mode:<8} {(find('modes', mode).__doc__ or '').splitlines()[0]}" for mode in names("modes"))
    keys = "\n".join(describe(config, "  --config."))
    return f"""python launch.py [--mode=MODE] [--config=FILE[:VARIANT]] [--workdir=FOLDER] [--config.KEY=VALUE ...]

modes (default train):
{modes}

{_help_of_flags()}
--workdir: folder of the run; default runs/<config>. A run there is resumed.
--sweep=config.KEY=VALUE,VALUE...: train: a run for each value, in a folder of its own; several make a grid.
--given.NAME=VALUE[,VALUE...]: sample: what a conditional model is given, --given.label=automobile say.
Flags of JAX (--jax_platforms=cpu) are flags too.

keys of {name}:
{keys}"""


def _help_of_flags() -> str:
    """A line for each flag of some mode's own, and what it means there."""
    modes = {}
    for mode in names("modes"):
        for name, flag in _flags_of(mode).items():
            modes.setdefault((name, flag.meaning), []).append(mode)
    return "\n".join(f"--{name}: {', '.join(of)}: {meaning}" for (name, meaning), of in sorted(modes.items()))


def _define(values: flags.FlagValues, config: ConfigDict, words: list[str]) -> None:
    """Defines the launcher's flags. words: the program and its arguments, in which overrides are looked for."""
    flags.DEFINE_enum("mode", "train", names("modes"), "What is done.", flag_values=values)
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    for name, flag in _all_flags().items():
        define = DEFINE[flag.of]
        define(name, flag.value(), flag.meaning, flag_values=values)
    # It reads words at once, and may raise: it comes last.
    config_flags.DEFINE_config_dict("config", config, lock_config=True, flag_values=values, sys_argv=words)


def load_config(name: str) -> ConfigDict:
    """What get_config() gives in the file that is named, FILE or FILE:VARIANT, found to be a config.

    What the file raises, it raises.
    """
    path, _, variant = name.partition(":")
    if not os.path.isfile(path):
        there = [str(file) for file in sorted(Path(path).parent.glob("*.py")) if file.stem not in ("__init__", "base")]
        raise UserError(f"--config={path}: there is no such file{nearest(path, there) if there else ''}")
    try:
        with tokenize.open(path) as file:
            if "\0" in file.read():
                raise ValueError("it holds a null character")
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"--config={path}: cannot be read as a Python file ({error})") from error
    get_config = runpy.run_path(path).get("get_config")
    if not callable(get_config):
        raise UserError(f"--config={path}: defines no get_config()")
    arguments = (variant,) if variant else ()
    try:
        inspect.signature(get_config).bind(*arguments)
    except TypeError:
        raise UserError(f"--config={name}: get_config() there " + ("takes no variant; leave it out" if variant else
                                                                   "takes a variant: --config=FILE:VARIANT")) from None
    config = get_config(*arguments)
    check_form(config, f"--config={path}: what get_config() returns")
    return config


def _fault(word: str, config: ConfigDict, program: str) -> str:
    """The line for one word, --name=value, parsed alone; "" if nothing is wrong with it."""
    name = word.lstrip("-").partition("=")[0]
    if not word.startswith("-"):
        return f"{word!r}: not a flag; flags are written --name=value"
    if name.removeprefix("no").startswith("config."):
        if line := _unknown_key(name.removeprefix("no"), config):
            return line
        check = partial(_parsed, config, [program, word])
    elif name in flags.FLAGS:
        check = partial(flags.FLAGS[name].parser.parse, word.partition("=")[2])
    elif name.removeprefix("no") in flags.FLAGS:
        return ""
    else:
        return f"--{name}: there is no such flag{nearest(name, [*COMMON, *_all_flags()])}"
    try:
        check()
    except FAULTS as error:
        setting = declared(config).get(name.removeprefix("config.")) or _all_flags().get(name)
        return f"{word}: " + (f"must be {setting.text}" if setting else _line(error).removeprefix(f"flag {word}: "))
    return ""


def _with_flagfiles(words: list[str]) -> list[str]:
    """words with what is in a file in the place of each --flagfile, so that whoever looks for a flag finds it."""
    try:
        return flags.FLAGS.read_flags_from_files(words)
    except FAULTS as error:
        raise UserError(f"--flagfile: {_line(error).removeprefix('ERROR:: ')}") from error


def _join_values(words: list[str]) -> list[str]:
    """Words with "--name value" and "-name=value" written "--name=value"."""
    joined = []
    for word in words:
        if word.startswith("-") and not word.startswith("--") and not NEGATIVE.match(word):
            word = f"-{word}"
        is_value = not word.startswith("-") or NEGATIVE.match(word)
        if joined and is_value and joined[-1].startswith("-") and "=" not in joined[-1]:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _config_faults(config: ConfigDict, words: list[str]) -> tuple[str, ...]:
    """The faults of config with the overrides that the words give, beside those of other words."""
    try:
        validate(_parsed(config, words))
    except UserError as error:
        return error.faults
    except FAULTS:
        return ()
    return ()


def _parsed(config: ConfigDict, words: list[str]) -> ConfigDict:
    """A copy of config with the overrides among words, which raise what absl and ml_collections raise."""
    values = flags.FlagValues()
    _define(values, ConfigDict(config), words)
    values(words)
    return values.config


def _unknown_key(name: str, config: ConfigDict) -> str:
    """The line for config.a.b where there is no key a.b, or "" where there is. A tuple's item is written a.b[0]."""
    section, at = config, "config"
    for part in name.partition("[")[0].split(".")[1:]:
        if not isinstance(section, ConfigDict):
            return f"--{name}: {at} is a value, it has no keys"
        if part not in section and part in names_at(config, at.removeprefix("config.")):
            return f"--{name}: is a part; give one of its settings"
        if part not in section:
            known = {*section, *names_at(config, at.removeprefix("config."))}
            return f"--{name}: {at} has no key {part!r}{nearest(part, sorted(known))}"
        section, at = section[part], f"{at}.{part}"
    return ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
