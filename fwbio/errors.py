"""The two ways a command can fail before it has computed anything."""

import difflib


class BadInput(ValueError):
    """Something the user wrote cannot be used. The message names field, value and fix. Exit code 2."""


class EnvironmentProblem(RuntimeError):
    """Something this machine lacks or broke. The message says what to install or type. Exit code 3."""


def nearest(name, known) -> str:
    """``; did you mean 'tau_f'?`` or the list of what is known."""
    spelled = {str(k): str(k) for k in known}
    lower = {k.lower(): k for k in spelled}
    for names, text in ((spelled, str(name)), (lower, str(name).lower())):
        if close := difflib.get_close_matches(text, names, n=1, cutoff=0.5):
            return f"; did you mean '{names[close[0]]}'?"
    return f"; known here: {', '.join(sorted(spelled))}"
