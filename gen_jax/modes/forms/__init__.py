"""How the runs of a group are trained: each file here is a form, run(group) -> what became of the runs that failed."""
