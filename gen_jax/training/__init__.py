"""Training: state, optimizers, the step, the loop, checkpoints. Knows no model and no objective by name."""
