"""How likely the data are."""
