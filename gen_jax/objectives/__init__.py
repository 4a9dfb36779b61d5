"""Games: build(nets, hp, spec) -> Objective; METRICS, {name: Metric}, says what their terms are, or metrics(hp) where
settings decide that."""
