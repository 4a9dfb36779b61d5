"""Everything that is written into a workdir, and onto the terminal."""
