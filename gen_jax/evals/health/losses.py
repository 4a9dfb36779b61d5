"""Loss curves: every term of every player, training and test, over the epochs."""
from collections.abc import Iterator

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import curve, figure, unit

NEEDS = ()


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "losses": one panel a term (loss, kl, recon, ..., grad_norm), one line for each player and split."""
    records = trained.history
    of = {"train", "test", *trained.objective.owns}  # what evals have recorded is no loss
    curves = [name for name in (records[-1] if records else ()) if "/" in name and name.split("/")[0] in of]
    terms = sorted({name.split("/")[1] for name in curves},
                   key=lambda term: (term.endswith("_norm"), term != "loss", term))
    if not terms:
        return
    fig, axes = figure(3.2 * len(terms), 2.8, columns=len(terms))
    for panel, term in zip(axes[0], terms, strict=True):
        for name in curves:
            if name.split("/")[1] == term:
                curve(panel, records, name, name.split("/")[0])
        panel.set(title=term, xlabel=unit(records), ylabel="" if term.endswith("_norm") else "nats per example")
        panel.legend()
    yield "losses", fig
