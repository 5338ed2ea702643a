"""What a sweep computes: card, options, axes, and the fingerprint by which a later run knows that it is the same."""

import hashlib
import json
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from fwbio.cards import network, reader
from fwbio.errors import BadInput, nearest
from fwbio.sweeps.axes import OPTIONS, Axis, Point, joined, parse
from fwbio.sweeps.axes import points as grid


@dataclass(frozen=True)
class Spec:
    """card : name or path. set : changes at every point. over, zipped : the axes as written. seeds : replicates; root : of all seeds."""

    card: str
    over: tuple[str, ...]
    zipped: tuple[str, ...] = ()
    seeds: int = 1
    root: int = 0
    set: dict = field(default_factory=dict)
    neurons: int | None = None
    neuron: str | None = None
    trials: int | None = None
    fast: bool = True
    plain: bool = False
    levels: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    target: str | None = None
    pack: bool = False

    def reads_circuit(self) -> bool:
        return reader.read(self.card)["kind"] == "circuit"

    def options(self) -> dict:
        """What ``load`` takes, without the axes."""
        if self.reads_circuit():
            return {"set": self.set}
        return {"set": self.set, "neurons": self.neurons, "neuron": self.neuron, "fast": self.fast}

    def axes(self) -> list[list[Axis]]:
        tables = reader.read(self.card)
        return joined([parse(text, tables) for text in self.over], list(self.zipped))

    def points(self):
        return grid(self.axes(), self.seeds)

    def model(self, settings: dict, seed: int = 0):
        """The network or circuit with an axis value of each name, and how many trials are wanted."""
        options = self.options()
        own = {name: value for name, value in settings.items() if name not in OPTIONS}
        options |= {name: settings[name] for name in ("neurons", "neuron") if name in settings}
        options["set"] = {**self.set, **own}
        if "fast" in options:
            options["seed"] = seed % 2**31
        return network.load(self.card, **options), settings.get("trials", self.trials)

    def as_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def of(table: dict) -> "Spec":
        return Spec(**{key: tuple(value) if isinstance(value, list) else value for key, value in table.items()})


def check(spec: Spec) -> None:
    """Raises BadInput for levels and values that no point could be computed with: every value of every axis is tried once."""
    from fwbio.cards import legal

    names = levels_of(spec)
    for level in spec.levels:
        if level not in names:
            raise BadInput(f"--levels: {level!r} is not a description of {spec.card}{nearest(level, names)}")
    factors = spec.axes()
    start = {axis.name: axis.values[0] for bundle in factors for axis in bundle}
    for bundle in factors:
        for k in range(len(bundle[0].values)):
            model, _ = spec.model({**start, **{axis.name: axis.values[k] for axis in bundle}})
            if hasattr(model, "units"):
                legal.check(model, spec.plain)


def levels_of(spec: Spec) -> tuple[str, ...]:
    """The descriptions that this card has."""
    tables = reader.read(spec.card)
    return ("rate", "spiking") if tables["kind"] == "circuit" or "clock" not in tables else ("rnn", "rate", "spiking")


def chosen_levels(spec: Spec) -> tuple[str, ...]:
    """Those that are run: the ones asked for, or spikes and the cheapest one beside them."""
    names = levels_of(spec)
    return spec.levels or (names[0], "spiking")


def fingerprint(spec: Spec) -> dict[str, str]:
    """Everything but the grid that decides what a point's bytes are."""
    here = Path(__file__).parents[1]
    code = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.rglob("*.py"))))
    path = reader.find(spec.card)
    files = [path, *sorted(reader.folder().glob("*.toml"))]
    trained = reader.read(spec.card).get("trained", {}).get("file")
    files += [path.parent / trained] if trained else []
    own = {key: value for key, value in spec.as_json().items() if key not in ("over", "zipped", "seeds", "card")}
    return {
        "card": str(spec.card),
        "cards and weights": hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16],
        "code of fwbio": code.hexdigest()[:16],
        **{f"version of {name}": version(name) for name in ("brian2", "numpy", "scipy")},
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: json.dumps(value, sort_keys=True) for name, value in own.items()},
    }


__all__ = ["Point", "Spec", "check", "chosen_levels", "fingerprint", "levels_of"]
