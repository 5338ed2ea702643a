"""How far spikes and mean field of a circuit agree: rates of each group in each epoch of the protocol, and a verdict.

The verdict is over the second halves of the epochs that are long enough to settle, where no group makes a population spike in them:
there the mean field is meant to hold. Epochs with population spikes are shown beside each other and not judged.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from fwbio.cards import steps
from fwbio.circuit import spans

LONG = 0.5  # s; of shorter epochs nothing is judged, the membranes, u and x are still moving
RULE = (
    "equivalent: in the second half of every epoch of 0.5 s or more, if it is without population spikes, the spiking rate of every group differs "
    "from the mean field's by no more than the bound of the card's [agree]; different: some do; inconclusive: no such epoch"
)


@dataclass(frozen=True)
class Comparison:
    """figures : what ``--json`` prints. runs : the CircuitRun of each level."""

    figures: dict
    runs: dict = field(repr=False)

    @property
    def verdict(self) -> str:
        return self.figures["verdict"]

    def __str__(self) -> str:
        return table(self.figures)


def compare(*runs) -> Comparison:
    """Rates of every group and epoch, population spikes, and where both descriptions are there how far they are apart."""
    by = {run.level: run for run in runs}
    circuit, seed = runs[0].circuit, by.get("spiking", runs[0]).seed
    figures = {"card": circuit.name, "neurons": {p.name: p.size for p in circuit.populations.values()}, "seed": seed, "levels": list(by)}
    busy = {g: by["spiking"].population_spikes(g) for g in spans(circuit)} if "spiking" in by else {}
    figures["population_spikes"] = {g: [round(float(t), 4) for t in times] for g, times in busy.items()}
    figures["epochs"] = []
    for name, start, stop in steps.epochs(circuit):
        rates = {g: {level: run.mean_rate(g, start, stop) for level, run in by.items()} for g in spans(circuit)}
        counted = {g: int(((t >= start) & (t < stop)).sum()) for g, t in busy.items()}
        figures["epochs"].append({"name": name, "from": start, "to": stop, "rates": rates, "population_spikes": counted})
    found = settled(by["rate"], by["spiking"]) if len(by) == 2 else []
    figures["settled"] = found
    figures["verdict"], figures["reason"] = judge(found, len(by))
    return Comparison(figures | {"rule": RULE}, by)


def settled(rate, spiking) -> list[dict]:
    """Each group in the second half of each epoch that the mean field is meant for: both rates in Hz, their relative difference, its bound."""
    from fwbio.rate import circuit as mean_field
    from fwbio.rate.equations import Right

    circuit, found = spiking.circuit, []
    bound = Right(circuit.card["agree"]["bound"], {})
    moved = replace(rate, rate=mean_field.run(circuit, finite=True).rate) if "finite" in bound.arguments else rate
    busy = np.concatenate([spiking.population_spikes(g) for g in spans(circuit)])
    for name, start, stop in steps.epochs(circuit):
        half = (start + stop) / 2
        if stop - start < LONG or np.any((busy >= half) & (busy < stop)):
            continue
        for group, (_, first, last) in spans(circuit).items():
            wanted, got = (run.mean_rate(group, half, stop) for run in (rate, spiking))
            known = {"n": last - first, "r0": 1.0, "h_pre": wanted, "duration": stop - half}
            known["finite"] = abs(moved.mean_rate(group, half, stop) / wanted - 1)
            row = {"rate": wanted, "spiking": got, "off": abs(got / wanted - 1), "bound": float(bound(known))}
            found.append({"epoch": name, "group": group, **row})
    return found


def judge(found, levels) -> tuple[str, str]:
    if levels < 2:
        return "inconclusive", "one description alone; `fwbio compare` holds spikes and mean field against each other"
    if not found:
        return "inconclusive", "every epoch is short or has population spikes, which the mean field does not describe"
    worst = max(found, key=lambda row: row["off"] / row["bound"])
    what = f"{worst['group']} {worst['epoch']}: {worst['spiking']:.3g} Hz in spikes, {worst['rate']:.3g} Hz in the mean field"
    if worst["off"] > worst["bound"]:
        return "different", f"{what}, {worst['off']:.1%} apart, bound {worst['bound']:.1%}"
    judged = ", ".join(dict.fromkeys(row["epoch"] for row in found))
    return "equivalent", (
        f"the largest difference is {worst['off']:.1%}, its bound {worst['bound']:.1%} ({what}). "
        f"Judged: {judged}; left out: epochs that are short, or have population spikes, which the mean field does not describe"
    )


def table(f: dict) -> str:
    """The figures as lines of text: an epoch a block, a group a row."""
    cells = ", ".join(f"{size:,} {name}" for name, size in f["neurons"].items())
    lines = [f"{f['card']}: {cells} neurons, seed {f['seed']}; mean rates in Hz"]
    for epoch in f["epochs"]:
        head = f"{epoch['name']}, {epoch['from']:.3g} to {epoch['to']:.3g} s"
        lines += ["", f"{head:30}" + "".join(f"{level:>11}" for level in f["levels"])]
        for group, rates in epoch["rates"].items():
            number = epoch["population_spikes"].get(group, 0)
            more = f"   {number} population spike{'s' * (number > 1)}" if number else ""
            lines.append(f"  {group:28}" + "".join(f"{rates[level]:11.2f}" for level in f["levels"]) + more)
    words = {
        "equivalent": "Spikes and mean field agree where it is meant to hold",
        "different": "Spikes and mean field differ",
        "inconclusive": "Inconclusive",
    }
    lines += ["", f"{words[f['verdict']]}: {f['reason']}."]
    if "seconds" in f:
        lines.append(f"build {f['seconds']['build']:.1f} s, run {f['seconds']['run']:.1f} s, peak memory {f['peak_memory_mb']:.0f} MB")
    return "\n".join(lines)
