"""From the config as written to the config as run: validated, step counts derived, locked; one message per rule."""
import json
from collections.abc import Iterable, Iterator
from typing import Any

from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.find import find, names, nearest
from gen_jax.identity import run_id
from gen_jax.parts import EVALS, OPTIM, ROOMS, complete, parts
from gen_jax.settings import (
    BELOW,
    POSITIVE,
    Must,
    Setting,
    Settings,
    at_least,
    between,
    one_of,
    placeholder,
    share,
    shown,
)

FORMAT = 2  # of a workdir: raise it when older runs cannot be read

SEED = Setting(0, "root of every random number of the run: init, data order, noise, evaluation",
               Must(lambda seed: 0 <= seed < 2**32, "at least 0 and below 2**32"))

RUN = {  # what every experiment has, by section; the other sections are parts with settings of their own
    "train": Settings("train", {
        "batch_size": Setting(128, "examples in a batch", POSITIVE),
        "epochs": Setting(50, "passes over the training data; a ragged last step is left out of each", POSITIVE),
        "steps": Setting(placeholder(int), "length of the run in steps, in place of epochs", POSITIVE),
        "on_device_gb": Setting(4.0, "training data up to so many GB live on the device; more are fed from the host",
                                at_least(0)),
        "ema_decay": Setting(0.0, "per step, of weights and running statistics, and less in the first steps; 0: no "
                             "averages", share()),
        "ema_nets": Setting("", 'nets that are averaged, comma-separated; "": all, if ema_decay is above 0'),
    }),
    "evals": Settings("evals", {
        "end": Setting((), "evals that run after training and in --mode=eval, by their names", item=str),
        "during": Setting((), "those run during training", item=str),
        "every_epochs": Setting(0, "how often those run, in epochs; 0: never", at_least(0)),
        "every_steps": Setting(placeholder(int), "how often, in steps, in place of epochs", POSITIVE),
        "batch_size": Setting(1000, "examples per device call when measuring", POSITIVE),
        "other": Setting("", "a second run, for evals that compare two: its workdir; or its config, which is trained "
                         "first"),
    }),
    "checkpoint": Settings("checkpoint", {
        "every_epochs": Setting(5, "how often the state is saved, in epochs (and always at the end)", POSITIVE),
        "every_steps": Setting(placeholder(int), "how often, in steps, in place of epochs", POSITIVE),
        "keep": Setting(2, "the latest so many are kept, and the best", POSITIVE),
        "best": Setting("", 'the metric whose best value among the saved is kept: the lowest, or the highest where '
                        'more of it is better; "": none'),
    }),
    "report": Settings("report", {
        "format": Setting("png", "of figures: png, or pdf or svg, which are drawn in lines; GIFs and pixels stay as "
                          "they are", one_of("png", "pdf", "svg")),
        "dpi": Setting(150, "pixels per inch of a figure as png", between(30, 1200)),
        "scale": Setting(1.0, "size of a figure, in multiples of how it is laid out (at most 7.5 inches wide); text "
                         "keeps its size in points", between(0.7, 5)),
    }),
    "log": Settings("log", {
        "every_steps": Setting(placeholder(int), "how often metrics are recorded, in steps; unset: each epoch",
                               POSITIVE),
        "tensorboard": Setting(False, "also write TensorBoard events (the extra: pip install -e '.[tensorboard]')"),
    }),
}


def check_form(config: Any, what: str) -> None:
    """Raises one UserError with a line for each section that config lacks, or that is none. what: it is, in words."""
    if not isinstance(config, ConfigDict):
        raise UserError(f"{what} is {type(config).__name__}, not a ConfigDict; begin with base.get_config()")
    if faults := [f"{what} {line}" for line in _form_faults(config)]:
        raise UserError(*faults)


def _form_faults(config: ConfigDict) -> Iterator[str]:
    sections = (*ROOMS, OPTIM, *RUN)
    if "seed" not in config:
        yield "has no seed"
    for name in config:
        if name not in (*sections, "seed", "derived"):
            yield f"has a section {name!r} that nothing reads{nearest(name, ['seed', *sections])}"
    named = {name: config.get(name) for name in sections}
    if isinstance(named[OPTIM], ConfigDict):
        named |= {f"{OPTIM}.{player}": section for player, section in named[OPTIM].items()}
    for at, section in named.items():
        if not isinstance(section, ConfigDict):
            yield f"has no section {at}"
        elif at not in (OPTIM, *RUN) and not isinstance(section.get("name"), str):
            yield f"has no {at}.name, of a part: write config.{at} = <a file of gen_jax>.hp()"
    if isinstance(named["evals"], ConfigDict):
        for key in ("end", "during"):
            if fault := RUN["evals"].settings[key].fault(named["evals"].get(key)):
                yield f"has evals.{key}={shown(named['evals'].get(key))}: {fault}"


def validate(config: ConfigDict) -> None:
    """Raises one UserError with a line for every fault in config."""
    faults = [f"seed={shown(config.seed)}: {fault}"] if (fault := SEED.fault(config.seed)) else []
    for name, settings in RUN.items():
        own = ConfigDict({key: value for key, value in config[name].items() if not isinstance(value, ConfigDict)})
        faults += settings.faults(own, name)
    if config.train.ema_nets and not config.train.ema_decay:
        faults.append(f"train.ema_nets={config.train.ema_nets!r}: must be empty while train.ema_decay is 0")
    faults += _name_faults(config)
    for part in parts(config):
        try:
            module = part.module
        except UserError as error:
            faults += error.faults
            continue
        own = list(module.hp.faults(part.section, part.at)) if hasattr(module, "hp") else []
        # Rules over several keys are asked of a section that is whole.
        faults += own or (module.faults(part.section, part.at) if hasattr(module, "faults") else [])
    if faults:
        raise UserError(*dict.fromkeys(faults))


def resolve(config: ConfigDict, num_train: int, fingerprint: str, batches: int, is_stream: bool) -> ConfigDict:
    """A locked copy of config with what is `derived` from it and the data.

    Args:
      num_train: how many training examples there are.
      fingerprint: a digest of all examples, which a resumed run must find.
      batches: how many fresh batches a step takes.
      is_stream: whether training draws new examples at each step; there are no epochs then.
    """
    per_step = config.train.batch_size * batches
    if not is_stream and per_step > num_train:
        raise UserError(f"train.batch_size={config.train.batch_size} is more than the {num_train} training examples; "
                        f"set --config.train.batch_size={num_train // batches} or less")
    config = config.copy_and_resolve_references()
    config.unlock()
    per_epoch = 0 if is_stream else num_train // per_step
    if is_stream and (faults := list(_stream_faults(config))):
        raise UserError(*faults)
    record = config.log.every_steps or per_epoch
    periods = {name: config[name].every_steps or config[name].every_epochs * per_epoch
               for name in ("evals", "checkpoint")}
    if faults := [f"{name}: happens every {period} steps, which must be a multiple of the {record} between records; "
                  f"set {name}.every_steps or log.every_steps" for name, period in periods.items() if period % record]:
        raise UserError(*faults)
    total = config.train.steps or per_epoch * config.train.epochs
    if total >= BELOW:
        raise UserError(f"train.epochs={config.train.epochs}: is {total:,} steps; a run has fewer than 2**31")
    config.derived = ConfigDict({
        "format": FORMAT, "num_train": num_train, "steps_per_epoch": per_epoch, "record_steps": record,
        "evals_steps": periods["evals"], "checkpoint_steps": periods["checkpoint"],
        "total_steps": total, "data_fingerprint": fingerprint})
    config.derived.run = run_id(json.loads(config.to_json()))
    return config.lock()


def name_list(text: str) -> list[str]:
    """The names in a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def declared(config: ConfigDict) -> dict[str, Setting]:
    """What is declared of every key of config, by its dotted name: its meaning, type and range."""
    settings = {"seed": SEED}
    sections = [(name, own) for name, own in RUN.items()] + [(part.at, part.hp) for part in parts(config) if part.hp]
    for at, own in sections:
        settings |= {f"{at}.{key}": setting for key, setting in own.settings.items()}
    for part in parts(config):
        choice = None if part.room == EVALS else one_of(*names(part.room))  # an eval's section keeps its name
        settings[f"{part.at}.name"] = Setting(part.name, f"a file of gen_jax/{part.room.replace('.', '/')}", choice)
    return settings


def with_evals(config: ConfigDict, more: Iterable[str] = ()) -> ConfigDict:
    """A copy of config with a section for every eval that it names. Raises UserError where it is not of the form.

    more: names of evals beside those that config names.
    """
    check_form(config, "the config")
    return complete(ConfigDict(config.copy_and_resolve_references()), more)


def _stream_faults(config: ConfigDict) -> Iterator[str]:
    for key, value in (("train.steps", config.train.steps), ("log.every_steps", config.log.every_steps),
                       ("checkpoint.every_steps", config.checkpoint.every_steps)):
        if not value:
            yield f"{key} is not set: data that are drawn anew at each step have no epochs; set --config.{key}=1000"
    if config.evals.every_epochs:
        yield "evals.every_epochs: data that are drawn anew at each step have no epochs; set evals.every_steps"


def _name_faults(config: ConfigDict) -> Iterator[str]:
    for name in (*config.evals.end, *config.evals.during):
        try:
            find("evals", str(name))
        except UserError as error:
            yield from error.faults
