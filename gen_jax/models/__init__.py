"""Nets: build(hp, image_shape) -> {net name: Net}."""
