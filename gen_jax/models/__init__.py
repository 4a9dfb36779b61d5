"""Nets: build(hp, spec) -> {net name: Net}."""
