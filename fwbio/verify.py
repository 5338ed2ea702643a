"""``fwbio verify``: every claim measured, one line a finding, figures drawn from what was saved."""

import json
from pathlib import Path

import numpy as np

from fwbio import claims, results
from fwbio.errors import BadInput, nearest


def verify(only=(), full: bool = False, say=None, progress=None) -> dict[str, list]:
    """Findings by claim. only : names of claims (none: all). say : called with each line of the table.

    Raises BadInput for a claim that is not there.
    """
    for name in only:
        if name not in claims.names():
            raise BadInput(f"no claim is called '{name}'{nearest(name, claims.names())}")
    found, chosen = {}, list(only) or claims.names()
    for k, name in enumerate(chosen):
        found[name] = claims.module(name).measure(full)
        if say:
            for finding in found[name]:
                say(row(name, finding))
        if progress:
            progress((k + 1) / len(chosen))
    return found


def row(name, finding) -> str:
    doubt = f" ± {finding.doubt:.2g}" if finding.doubt else ""
    return f"{finding.verdict:12} {name:16} {finding.claim:78} {finding.figure:9.3g}{doubt} {finding.relation} {finding.bound:.3g}"


def as_json(found) -> dict:
    """``claims``: a list of claim, figure, bound, verdict."""
    return {
        "claims": [
            {
                "claim": f"{name}: {f.claim}",
                "figure": f.figure,
                "bound": f.bound,
                "relation": f.relation,
                "doubt": f.doubt,
                "verdict": f.verdict,
            }
            for name, findings in found.items()
            for f in findings
        ]
    }


def save(folder: Path, found: dict, full: bool) -> None:
    """A results folder: findings as ``run.json``, their data as ``arrays.npz``, one figure a claim drawn from these."""
    rows = [
        {"name": name, "claim": f.claim, "figure": f.figure, "bound": f.bound, "relation": f.relation, "doubt": f.doubt}
        for name, findings in found.items()
        for f in findings
    ]
    arrays = {f"{name}.{k}.{key}": np.asarray(v) for name, fs in found.items() for k, f in enumerate(fs) for key, v in f.data.items()}
    with results.publishing(folder) as scratch:
        (scratch / "run.json").write_text(json.dumps({"full": full, "findings": rows, **results.provenance()}, indent=1) + "\n")
        np.savez_compressed(scratch / "arrays.npz", **arrays)
        for name, findings in saved(scratch).items():
            claims.module(name).draw(findings).savefig(scratch / f"{name}.png", dpi=150)


def saved(folder) -> dict[str, list]:
    """The findings of a results folder again, by claim."""
    record = results.read(folder)
    found: dict[str, list] = {}
    for entry in record["findings"]:
        name = entry.pop("name")
        place = f"{name}.{len(found.setdefault(name, []))}."
        data = {key.removeprefix(place): v for key, v in record["arrays"].items() if key.startswith(place)}
        found[name].append(claims.Finding(**entry, data=data))
    return found
