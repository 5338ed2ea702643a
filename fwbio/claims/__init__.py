"""What fwbio asserts, one file a claim: its bound and where it comes from, its measurement, its verdict, its figure.

Every module here has a docstring that states the claim and derives its bound, and two functions:

    measure(full=False) -> list[Finding]     quick (seconds to a minute) or at full size
    draw(findings) -> matplotlib Figure      from the findings' data alone; the caption says what would have been a failure

``fwbio verify`` runs them all; the directory listing is the registry.
"""

import importlib
import math
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One figure beside its bound.

    figure, bound : numbers; the claim holds if figure <= bound (or >= with relation ">=")
    doubt : half width of the figure's confidence interval (95 %); if it straddles the bound, the finding is inconclusive
    data : arrays by name, for the figure
    """

    claim: str
    figure: float
    bound: float
    relation: str = "<="
    doubt: float = 0.0
    data: dict = field(default_factory=dict, repr=False, compare=False)

    @property
    def verdict(self) -> str:
        """``holds``, ``fails`` or ``inconclusive``; a figure that is not a number fails."""
        if not (math.isfinite(self.figure) and math.isfinite(self.doubt)):
            return "fails"
        margin = self.bound - self.figure if self.relation == "<=" else self.figure - self.bound
        if abs(margin) < self.doubt:
            return "inconclusive"
        return "holds" if margin >= 0 else "fails"


def conclude(findings) -> int:
    """Print findings as a Markdown table, a line each; the exit code of a script that asserts them: 1 if one does not hold, else 0."""
    findings = list(findings)
    for f in findings:
        doubt = f" ± {f.doubt:.2g}" if f.doubt else ""
        print(f"| {f.claim} | {f.figure:.3g}{doubt} | {f.relation} {f.bound:.3g} | {f.verdict} |")
    return int(any(f.verdict != "holds" for f in findings))


def names() -> list[str]:
    """Every claim, by the name of its file."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def module(name: str):
    """The module of one claim."""
    return importlib.import_module(f"fwbio.claims.{name}")
