"""How a comparison is written: each file here is a format, and defines files(comparison) -> texts by file name."""
