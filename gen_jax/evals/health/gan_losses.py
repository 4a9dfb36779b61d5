"""Loss curves of both players: in training, over the test split, and on the 16 examples that gan_signals looks at."""
from collections.abc import Iterator

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import about, curve, legend_below, unit, unit_of
from gen_jax.style import figure

NEEDS = ("measure:disc_loss", "measure:gen_loss")
CURVES = {"training": "{player}/loss", "test split": "test/{player}_loss", "16 examples": "test16/{player}_loss"}


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "gan_losses": a panel a player, in the loss's unit over the epochs or steps."""
    fig, axes = figure(3.4, columns=2)
    for panel, (player, title) in zip(axes[0], (("disc", "discriminator"), ("gen", "generator")), strict=True):
        for label, form in CURVES.items():
            curve(panel, trained.history, form.format(player=player), label)
        panel.set(title=f"loss of the {title}", xlabel=unit(trained.history),
                  ylabel=unit_of(trained, f"{player}/loss"))
        panel.set_ylim(bottom=min(0, panel.get_ylim()[0]))
        legend_below(panel)
    fig.suptitle(about(trained))
    yield "gan_losses", fig
