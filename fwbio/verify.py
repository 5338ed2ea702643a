"""``fwbio verify``: every claim measured in a process of its own, one line a finding, figures drawn from what was saved."""

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from fwbio import claims, results
from fwbio.errors import BadInput, EnvironmentProblem, nearest
from fwbio.spiking.engine import environment


def verify(only=(), full: bool = False, say=None, progress=None, workers: int = 2) -> dict[str, list]:
    """Findings by claim. only : names of claims (none: all). say : called with each line of the table, claim by claim.

    workers : claims measured at a time. progress : called with the share of claims that are done

    Raises BadInput for a claim that is not there, EnvironmentProblem for one that stops before it has measured.
    """
    for name in only:
        if name not in claims.names():
            raise BadInput(f"no claim is called '{name}'{nearest(name, claims.names())}")
    chosen, found, done = list(dict.fromkeys(only)) or claims.names(), {}, []
    with tempfile.TemporaryDirectory(prefix="fwbio-verify-") as scratch:

        def one(name):
            command = [sys.executable, "-W", "ignore", "-m", "fwbio.verify", name, scratch, *["full"] * full]
            ended = subprocess.run(command, capture_output=True, text=True, env=environment(0))
            if ended.returncode:
                tail = "\n".join((ended.stderr or ended.stdout).strip().splitlines()[-8:])
                raise EnvironmentProblem(f"claim {name} stopped with exit code {ended.returncode}; nothing of it is used\n{tail}")
            done.append(name)
            if progress:
                progress(len(done) / len(chosen))
            return saved(Path(scratch) / name)[name]

        pool = ThreadPoolExecutor(workers)
        try:
            for name, findings in zip(chosen, pool.map(one, chosen)):
                found[name] = findings
                for finding in findings if say else ():
                    say(row(name, finding))
        finally:
            pool.shutdown(cancel_futures=True)
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
    """A results folder: findings, their data, and one figure a claim drawn from these."""
    with results.publishing(folder) as scratch:
        write(scratch, found, full)
        for name, findings in saved(scratch).items():
            claims.module(name).draw(findings).savefig(scratch / f"{name}.png", dpi=150)


def write(folder: Path, found: dict, full: bool) -> None:
    """Findings as ``run.json``, their data as ``arrays.npz``."""
    rows = [
        {"name": name, "claim": f.claim, "figure": f.figure, "bound": f.bound, "relation": f.relation, "doubt": f.doubt}
        for name, findings in found.items()
        for f in findings
    ]
    arrays = {f"{name}.{k}.{key}": np.asarray(v) for name, fs in found.items() for k, f in enumerate(fs) for key, v in f.data.items()}
    (folder / "run.json").write_text(json.dumps({"full": full, "findings": rows, **results.provenance()}, indent=1) + "\n")
    np.savez_compressed(folder / "arrays.npz", **arrays)


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


if __name__ == "__main__":
    claim, scratch, *size = sys.argv[1:]
    own = Path(scratch) / claim
    own.mkdir()
    write(own, {claim: claims.module(claim).measure(full=bool(size))}, bool(size))
