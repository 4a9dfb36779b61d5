"""Games: build(nets, hp) -> Objective."""
