"""Loss curves: every term of every player, training and test, over the epochs."""
from collections.abc import Iterator
from textwrap import fill

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import about, curve, fit_to_later, legend_below, mark, unit, unit_of
from gen_jax.style import figure

NEEDS = ()
WORDS = {"neg_elbo": "-ELBO", "recon": "reconstruction", "kl": "KL", "grad_norm": "gradient norm",
         "update_norm": "update norm"}


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "losses": one panel a term (loss, kl, recon, ..., grad_norm), one line for each player and split.

    A term that is the loss itself has no panel. The record with the lowest test loss is marked.
    """
    records = trained.history
    of = {"train", "test", *trained.objective.owns}  # what evals have recorded is no loss
    curves = [name for name in (records[-1] if records else ())
              if "/" in name and name.split("/")[0] in of and not _is_the_loss(name, records)]
    terms = sorted({name.split("/")[1] for name in curves},
                   key=lambda term: (term.endswith("_norm"), term != "loss", term))
    if not terms:
        return
    rows = -(-len(terms) // 2)
    fig, axes = figure(0.6 + 2.6 * rows, rows=rows, columns=2)
    for panel, term in zip(axes.flat, terms, strict=False):
        names = [name for name in curves if name.split("/")[1] == term]
        for name in names:
            curve(panel, records, name, name.split("/")[0])
        fit_to_later(panel)
        panel.set(title=WORDS.get(term, term.replace("_", " ")), xlabel=unit(records),
                  ylabel="norm" if term.endswith("_norm") else fill(unit_of(trained, names[0]), 24))
        legend_below(panel)
    for panel in axes.flat[len(terms):]:
        panel.remove()
    fig.suptitle(about(trained) + _best(records, axes[0, 0]))
    yield "losses", fig


def _is_the_loss(name: str, records: list[dict]) -> bool:
    """Whether a term is in all records what the loss of the same player or split is."""
    player, term = name.split("/")
    return term != "loss" and all(record.get(name) == record.get(f"{player}/loss") for record in records)


def _best(records: list[dict], panel) -> str:
    """Marks the lowest test loss in the panel of the loss; what it is, in words."""
    tested = [record for record in records if record.get("test/loss") is not None]
    if not tested:
        return ""
    best = min(tested, key=lambda record: record["test/loss"])
    at = best[unit(records)]
    mark(panel, at, best["test/loss"])
    return f"\nlowest test loss {best['test/loss']:.4g} at {unit(records)} {at:,} (marked)"
