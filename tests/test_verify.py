"""``fwbio verify``: claims measured in processes of their own, their verdicts, exit codes and what is saved."""

import json
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from fwbio import claims, verify
from fwbio.claims import Finding
from fwbio.cli import main
from fwbio.errors import BadInput, EnvironmentProblem


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (Finding("c", 0.5, 1.0), "holds"),
        (Finding("c", 1.5, 1.0), "fails"),
        (Finding("c", 1.5, 1.0, ">="), "holds"),
        (Finding("c", 0.9, 1.0, doubt=0.2), "inconclusive"),
        (Finding("c", 1.1, 1.0, doubt=0.2), "inconclusive"),
        (Finding("c", float("nan"), 1.0), "fails"),
        (Finding("c", 0.5, 1.0, doubt=float("inf")), "fails"),
    ],
)
def test_verdicts(finding, verdict):
    assert finding.verdict == verdict


@pytest.mark.slow
def test_a_claim_comes_back_from_its_process_as_it_was_measured(tmp_path):
    lines = []
    found = verify.verify(["timescales"], say=lines.append)
    assert [f.verdict for f in found["timescales"]] == ["holds"] * len(lines) and len(lines) >= 4
    verify.save(tmp_path / "out", found, full=False)
    again = verify.saved(tmp_path / "out")["timescales"]
    assert [(f.claim, f.figure, f.bound) for f in again] == [(f.claim, f.figure, f.bound) for f in found["timescales"]]
    assert all(np.array_equal(f.data[key], g.data[key]) for f, g in zip(again, found["timescales"], strict=True) for key in g.data)
    assert (tmp_path / "out" / "timescales.png").stat().st_size > 10_000


@pytest.mark.parametrize(("figure", "code"), [(0.5, 0), (2.0, 1)])
def test_the_exit_code_says_whether_a_claim_failed(figure, code, monkeypatch):
    monkeypatch.setattr(verify, "verify", lambda *_args: {"attention": [Finding("one", figure, 1.0)]})
    done = CliRunner().invoke(main, ["verify", "--json"])
    assert done.exit_code == code
    (entry,) = json.loads(done.stdout)["claims"]
    assert entry["verdict"] == ("fails" if code else "holds") and {"claim", "figure", "bound", "verdict"} <= entry.keys()


def test_an_unknown_claim_is_refused_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean 'timescales'"):
        verify.verify(["timescale"])


def test_a_claim_that_stops_is_no_success(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EnvironmentProblem, match="attention stopped with exit code 1"):
        verify.verify(["attention"])


def test_every_claim_says_what_it_asserts_and_can_draw():
    for name in claims.names():
        module = claims.module(name)
        assert len(module.__doc__) > 200 and callable(module.measure) and callable(module.draw)
