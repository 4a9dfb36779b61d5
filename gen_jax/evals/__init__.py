"""What is measured and drawn of a trained run: each file here, or in a sub-folder, is an eval, found by its name.

It defines evaluate(trained), which yields (name, number | Number | sentence | picture | Animation | Arrays | Page), and
may define

NEEDS        what it asks of a run: names of the objective's predict; "measure:<term>", a term that the objective
             measures; "conditions:<name>", that the model is given this, "label" say; "labels"; "other", a second run;
             "tiles", that one example is a picture; "vector", that a code is a vector [Z] of real numbers;
             "kind:<name>", that the data are of this kind
hp           its Settings: the section config.evals.<name>, read as trained.hp.<name>
METRICS      {name: Metric}: what its numbers say, by their names without "train/", "/test" and "/samples"
CHOOSES      those of its settings that choose which numbers it gives, and change none
COMPARES     whether it looks at the run that config.evals.other names, where there is one
data_faults  data_faults(config, train, test): a line for each setting that does not fit the data
"""
from gen_jax.evals._needs import in_words, lacks, needs
from gen_jax.evals._results import Animation, Arrays, Number, Page, Result
from gen_jax.evals._trained import Trained

__all__ = ["Animation", "Arrays", "Number", "Page", "Result", "Trained", "in_words", "lacks", "needs"]
