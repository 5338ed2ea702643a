"""``fwbio doctor``: what is broken is said with the line to type; cleaning takes everything but what is being built."""

import fcntl
import importlib.metadata
import json
import os
import subprocess
import sys

import pytest

from fwbio import doctor


def by_name():
    return {finding.name: finding for finding in doctor.examine()}


def test_the_command_says_versions_cache_and_memory(tmp_path):
    line = [sys.executable, "-m", "fwbio", "doctor", "--json"]
    done = subprocess.run(line, capture_output=True, text=True, env={**os.environ, "FWBIO_CACHE": str(tmp_path / "c")})
    found = {f["name"]: f for f in json.loads(done.stdout)}
    assert found["brian2"]["says"] == importlib.metadata.version("brian2") and found["brian2 runs"]["ok"]
    assert str(tmp_path / "c") in found["cache"]["says"] and "0 networks" in found["cache"]["says"]
    assert done.returncode == (3 if any(f["ok"] is False for f in found.values()) else 0)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("FWBIO_CACHE", str(tmp_path))
    monkeypatch.setattr(doctor, "brian", lambda: doctor.Finding("brian2 runs", ""))
    return tmp_path


def test_without_a_compiler(quick, monkeypatch):
    monkeypatch.setenv("PATH", str(quick))
    found = by_name()["compiler"]
    assert found.ok is False and "NumPy" in found.says and "g++" in found.fix


def test_a_compiler_that_fails_is_no_compiler(quick, monkeypatch):
    (quick / "bin").mkdir()
    broken = quick / "bin" / "g++"
    broken.write_text("#!/bin/sh\necho no such header >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{quick / 'bin'}:/usr/bin:/bin")
    found = by_name()["compiler"]
    assert found.ok is False and "no such header" in found.says


def test_brian2_and_numpy_that_do_not_fit(monkeypatch):
    """A Brian2 whose import fails as 2.9 does on NumPy 2.4."""
    monkeypatch.setattr(doctor, "TRIED", "raise AttributeError('module numpy has no attribute in1d')")
    monkeypatch.setattr(doctor, "version", lambda name: {"brian2": "2.9.0", "numpy": "2.4.1"}.get(name))
    found = doctor.brian()
    assert found.ok is False and found.fix == "pip install 'numpy<2.4'" and "Brian2 2.9.0 does not fit NumPy 2.4.1" in found.says
    monkeypatch.setattr(doctor, "version", lambda name: {"brian2": "2.11.0", "numpy": "2.4.1"}.get(name))
    assert "in1d" in doctor.brian().says


def test_clean_takes_all_but_what_is_being_built(quick):
    for name in ("aaaa", "bbbb", ".build-left"):
        (quick / name).mkdir()
        (quick / name / "main").write_bytes(b"x" * 1_000_000)
    (quick / "aaaa.lock").touch()
    assert "2 networks" not in by_name()["cache"].says and "3 unfinished, damaged" in by_name()["cache"].says
    with open(quick / "bbbb.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        removed, megabytes, busy = doctor.clean()
        assert (removed, busy) == (1, 1) and abs(megabytes - 1) < 0.1
        assert sorted(p.name for p in quick.iterdir()) == [".build-left", "bbbb", "bbbb.lock"]
    assert doctor.clean()[2] == 0 and not list(quick.iterdir())
