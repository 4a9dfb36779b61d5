"""How tests have XLA compile: without its optimizations, in a half to a third of the time."""
import os

import jax

BEFORE = os.environ.get("XLA_FLAGS", "")
OLD_EMITTERS = " --xla_cpu_use_fusion_emitters=false" if jax.__version_info__ < (0, 11) else ""  # later ones have none
FLAGS = f"{BEFORE} --xla_backend_optimization_level=0{OLD_EMITTERS}"
