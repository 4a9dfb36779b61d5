"""What the user got wrong."""


class UserError(Exception):
    """Faults that the user can mend: each argument is one line that says what is wrong and what to do.

    The launcher prints the lines and exits with code 2, without a traceback.
    """

    exit_code = 2

    @property
    def faults(self) -> tuple[str, ...]:
        return self.args

    def __str__(self) -> str:
        return "\n".join(self.args)


class NoData(UserError):
    """The data that a run was trained on cannot be had, or are others. Only what needs them must stop."""


class NoOther(UserError):
    """The second run, which config.evals.other names, cannot be loaded. Only what compares with it must stop."""


class RunsFailed(UserError):
    """Some runs of a group have not come to their end: a line for each. The others have."""

    def __init__(self, exit_code: int, *lines: str):
        """exit_code: of the first that failed."""
        super().__init__(*lines)
        self.exit_code = exit_code
