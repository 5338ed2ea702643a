"""Does fwbio keep what it asserts, at full size? Reads what ``fwbio verify --full`` left in results/claims, prints every verdict,
draws one figure a claim into analysis/figures/, and exits with 1 if a claim does not hold.

    fwbio verify --full --out results/claims    # under half an hour on two cores
    python analysis/claims.py
"""

import sys
from pathlib import Path

from fwbio import claims, verify

HERE = Path(__file__).parent


def main() -> int:
    missed = 0
    for name, findings in verify.saved("results/claims").items():
        claims.module(name).draw(findings).savefig(HERE / "figures" / f"claim_{name}.png", dpi=150)
        for finding in findings:
            print(verify.row(name, finding))
            missed += finding.verdict != "holds"
    print(f"{missed} findings do not hold")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
