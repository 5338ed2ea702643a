"""Progress with time left, on standard error: one moving line at a terminal, a plain line now and then elsewhere."""

import os
import sys
import time

SOON = 0.02  # of the work, before which its duration is a guess


class Progress:
    """Call it with the fraction done; ``say`` prints a line of its own."""

    def __init__(self, label: str, quiet: bool = False, every: float = 5.0):
        self.label, self.quiet, self.every = label, quiet, every
        self.start = self.last = time.monotonic()
        self.done, self.first = False, (self.start, 0.0)  # from here the time left is reckoned
        self.terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def __call__(self, fraction: float) -> None:
        now = time.monotonic()
        self.first = self.first or (now, fraction)
        wait = 0.2 if self.terminal else self.every
        if self.quiet or self.done or now - self.last < wait and fraction < 1 or fraction <= 0:
            return
        self.last, self.done = now, fraction >= 1
        known = fraction - self.first[1]
        left = (now - self.first[0]) * (1 - fraction) / max(known, SOON)
        told = f"about {left:.0f} s left" if known >= SOON or fraction >= 1 else "how long is not known yet"
        line = f"{self.label}: {fraction:4.0%}, {now - self.start:.0f} s, {told}"
        self.write(f"\r{line}   " + ("\n" if fraction >= 1 else "") if self.terminal else line + "\n")

    def say(self, text: str) -> None:
        """A line of its own, of something (a build) that tells nothing of how fast the work is: reckoned from the next word on."""
        self.start, self.first = time.monotonic(), None
        if not self.quiet:
            self.write(f"{self.label}: {text}\n")

    def note(self, text: str) -> None:
        """A line in between; the time left goes on being counted from where it was."""
        if not self.quiet:
            self.write(("\r" if self.terminal else "") + f"{self.label}: {text}\n")

    @staticmethod
    def write(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # nobody listens
            pass
