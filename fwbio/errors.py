"""The two ways a command can fail before it has computed anything."""

import difflib


class BadInput(ValueError):
    """Something the user wrote cannot be used. The message names field, value and fix. Exit code 2."""


class EnvironmentProblem(RuntimeError):
    """Something this machine lacks or broke. The message says what to install or type. Exit code 3."""


def nearest(name, known) -> str:
    """``; did you mean 'tau_f'?`` or the list of what is known."""
    close = difflib.get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else f"; known here: {', '.join(sorted(map(str, known)))}"
