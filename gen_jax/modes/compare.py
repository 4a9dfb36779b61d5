"""Compares finished runs over training seeds: tables, differences with intervals and tests, figures."""
from collections.abc import Sequence
from pathlib import Path

from ml_collections import ConfigDict

from gen_jax.command_line import Launch
from gen_jax.compare.comparison import compared
from gen_jax.compare.figure import FIGURES, figures
from gen_jax.compare.workdirs import group_folder, is_workdir, split, workdirs
from gen_jax.config import RUN, name_list
from gen_jax.errors import UserError
from gen_jax.find import find, names
from gen_jax.modes._run import writing
from gen_jax.pages import comparison as page
from gen_jax.report import results
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.settings import Setting
from gen_jax.style import styled
from gen_jax.whole import write_atomically

TAKES_CONFIG = False
FORMATS = "compare.formats"
FLAGS = {
    "workdirs": Setting("", "the runs: workdirs, or folders that have workdirs below them, by names and globs, "
                        "comma-separated"),
    "out": Setting("", "the folder to write into; unset: ./comparison, or of one folder of runs, that folder itself"),
    "metrics": Setting("", "numbers to compare, by names and globs, comma-separated; unset: the headlines that the "
                       "runs share"),
    "format": Setting("pdf", "of figures", RUN["report"].settings["format"].must),
}


def run(launch: Launch) -> None:
    """The mode."""
    options = launch.options
    asked = split(options["workdirs"])
    if not asked:
        raise UserError("--mode=compare: which runs? --workdirs=runs/a,runs/b or --workdirs='runs/vae_*'")
    out = Path(options["out"] or group_folder(asked) or "comparison")
    lines = compare(asked, out, name_list(options["metrics"]), report_settings(options["format"]))
    print("\n".join(lines), flush=True)
    say(f"as .txt, .md, .tex, .csv, .json and figures: {Workdir(out, '--out').path}/comparison*\n"
        f"all on one page: {Workdir(out, '--out').path / page.report.NAME}")


def compare(names_of_workdirs: Sequence[str | Path], out: Path, metrics: Sequence[str] = (),
            report: ConfigDict | None = None) -> list[str]:
    """Compares runs, writes comparison.txt, .md, .tex, .csv, .json, the figures and report.html into out, and returns
    the text.

    Args:
      names_of_workdirs: workdirs, or folders that have workdirs below them, by names and globs.
      metrics: names of the numbers, or globs; of none, the headlines that the runs share.
      report: how figures are written, as config.report; None: as PDF.

    Raises UserError, with a line for each fault, also where nothing is left that may be compared.
    """
    to = Workdir(out, "--out")
    if is_workdir(to.path):
        raise UserError(f"--out={out}: is a run's folder, whose report.html would be lost; name another one")
    comparison = compared(workdirs(list(map(str, names_of_workdirs))), metrics)
    texts = {name: text for form in names(FORMATS) for name, text in find(FORMATS, form).files(comparison).items()}
    with writing(to), styled():
        to.path.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_atomically(to.path / name, text.encode())
        for path in (to.path / f"{name}.{form}" for name in FIGURES for form in FLAGS["format"].must.known):
            path.unlink(missing_ok=True)  # of an earlier comparison
        for name, drawn in figures(comparison).items():
            results.save(to.path / name, drawn, report or report_settings(FLAGS["format"].default))
        page.write(to.path)
    return texts["comparison.txt"].splitlines()


def report_settings(form: str) -> ConfigDict:
    """config.report by default, but for the format of figures."""
    return ConfigDict(RUN["report"].values(format=form))
