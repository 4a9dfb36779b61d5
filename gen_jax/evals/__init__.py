"""What is measured or drawn from a trained state: evaluate(trained) -> (name, number | picture) pairs."""
