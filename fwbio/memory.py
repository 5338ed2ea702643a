"""How much memory there is, in MB: what the system can give, and no more than a container or batch job (its cgroup) may take."""

import os
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")


def free_mb() -> float:
    """What a new process could take now without anything being swapped or killed. inf where the system does not say."""
    said = system()
    return min(said.get("MemAvailable", pages("SC_AVPHYS_PAGES")), *(limit - used for limit, used in groups()))


def total_mb() -> float:
    """What this process and its children may take in all."""
    return min(system().get("MemTotal", pages("SC_PHYS_PAGES")), *(limit for limit, _ in groups()))


def system() -> dict[str, float]:
    """/proc/meminfo; empty where there is none. Unlike free pages, MemAvailable counts what only caches files."""
    try:
        rows = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
        return {name.rstrip(":"): int(kilobytes) / 1e3 for name, kilobytes, *_ in rows}
    except (OSError, ValueError):
        return {}


def pages(name: str) -> float:
    return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") / 1e6 if name in getattr(os, "sysconf_names", {}) else float("inf")


def groups() -> list[tuple[float, float]]:
    """(limit, used) of every control group this process is in that has a limit; the last is none. Files that are only cached do not count."""
    found = []
    try:
        own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        for folder in (place := GROUPS / own.strip("/"), *place.parents):
            if (folder / "memory.max").is_file() and (limit := (folder / "memory.max").read_text().strip()) != "max":
                stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                used = int((folder / "memory.current").read_text()) - int(stat.get("inactive_file", 0))
                found.append((int(limit) / 1e6, used / 1e6))
    except (OSError, ValueError, StopIteration):
        pass
    return [*found, (float("inf"), 0.0)]
