"""One point: the descriptions of its network on its own trials, their figures, and the bytes that are kept of them.

Networks: what ``fwbio compare`` says of each level, ``accuracy.spiking``, ``hidden_rmse.spiking`` and so on. Circuits: the rate of each group
in each epoch, ``rate.before.E.spiking``, and its population spikes, ``population_spikes.before.E``. Bytes hold nothing that differs from
run to run (no seconds, no host), so that a point computed anywhere, at any time, is the same file.
"""

import io
import json

import numpy as np

from fwbio import describe, tasks
from fwbio.comparison import compare
from fwbio.errors import BadInput, EnvironmentProblem, nearest
from fwbio.sweeps.spec import Spec, chosen_levels

NETWORK = {
    "accuracy": "share of right decisions",
    "agreement": "share of decisions that are the reference's",
    "hidden_rmse": "error of h over the s.d. of h",
    "current_rmse": "the same of the dendrites' current (free-running)",
    "counts_rmse": "error of h as spike counts show it",
    "A_error": "error of A over its size",
    "hidden_rmse_predicted": "the error of h that spike noise predicts",
    "A_error_predicted": "the error of A that spike noise predicts",
    "accuracy_predicted": "the accuracy that spike noise predicts",
    "agreement_predicted": "the agreement that spike noise predicts",
    "rate_hz": "mean rate of a neuron, Hz",
}
ALONE = ("accuracy", "rate_hz")  # figures of one description by itself
CIRCUIT = {"rate": "rate of each group in each epoch, Hz", "population_spikes": "population spikes of each group in each epoch"}


class NonFinite(EnvironmentProblem):
    """A figure is not a number; retrying would not help."""


def check_measures(spec: Spec, kind: str) -> None:
    """Raises BadInput for a ``--measure`` that this kind of card does not have."""
    known = CIRCUIT if kind == "circuit" else NETWORK
    for name in spec.measures:
        if name not in known:
            raise BadInput(f"--measure {name}: not a figure of a {kind} card{nearest(name, known)}")
        if known is NETWORK and len(spec.levels) == 1 and name not in ALONE:
            raise BadInput(f"--measure {name}: {NETWORK[name]}, which takes two descriptions; add one, for instance --levels rate,spiking")


def figures(spec: Spec, settings: dict, seed: int, made=None) -> dict[str, float | None]:
    """Every figure that is wanted, by column; None where it is not defined (such as an error relative to nothing).

    made : network, task and SpikingTrace of this point, if it has run already
    """
    model, trials = spec.model(settings, seed) if made is None else (made[0], None)
    options = {"plain": True} if spec.plain else {}
    options |= {"target": spec.target} if spec.target else {}
    levels = chosen_levels(spec)
    if hasattr(model, "populations"):
        runs = [describe.run(model, level=level, seed=seed, **(options if level == "spiking" else {})) for level in levels]
        found = of_circuit(runs)
    else:
        task = tasks.of(model, trials, seed) if made is None else made[1]
        options |= {"workers": 1, "spikes": made and made[2]}
        runs = [describe.run(model, task, level, seed=seed, **(options if level == "spiking" else {})) for level in levels]
        found = of_network(runs, predict=not spec.measures or any(name.endswith("predicted") for name in spec.measures))
    wanted = {key: value for key, value in found.items() if not spec.measures or key.split(".")[0] in spec.measures}
    if bad := [key for key, value in wanted.items() if value is not None and not np.isfinite(value)]:
        raise NonFinite(f"{bad[0]} is not finite: the activity or a weight overflowed; use a smaller gain, eta or weight")
    return wanted


def of_network(runs, predict) -> dict:
    if len(runs) > 1:
        said = compare(*runs, predict=predict).figures
    else:
        run = runs[0]
        said = {run.level: {"rate_hz": float(run.network.r0 * run.h.mean())} | ({} if run.logits is None else {"accuracy": run.accuracy})}
    still = runs[0].h.std() == 0  # an error relative to the spread of what never moves is undefined
    found = {f"{name}.{run.level}": said[run.level][name] for name in NETWORK for run in runs if name in said[run.level]}
    return {key: None if still and "rmse" in key else value for key, value in found.items()}


def of_circuit(runs) -> dict:
    from fwbio import circuit_comparison

    found = {}
    for epoch in circuit_comparison.compare(*runs).figures["epochs"]:
        for group, rates in epoch["rates"].items():
            found |= {f"rate.{epoch['name']}.{group}.{level}": rate for level, rate in rates.items()}
        found |= {f"population_spikes.{epoch['name']}.{group}": float(n) for group, n in epoch["population_spikes"].items()}
    return found


def compute(spec: Spec, settings: dict, seed: int, made=None) -> bytes:
    """The point's file; see ``figures``. Raises BadInput, EnvironmentProblem or NonFinite."""
    return written(figures(spec, settings, seed, *([] if made is None else [made])), settings, seed)


def written(found: dict, settings: dict, seed: int) -> bytes:
    """A point's file with its figures; NaN stands for an undefined one."""
    names, values = list(found), [np.nan if value is None else value for value in found.values()]
    made = io.BytesIO()
    np.savez(made, names=np.array(names), values=np.array(values, float), settings=np.array(json.dumps(settings)), seed=np.array(seed))
    return made.getvalue()


def opened(data: bytes) -> dict[str, float]:
    """The figures in a point's file, by column; NaN where one is undefined."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        return dict(zip(archive["names"].tolist(), archive["values"].tolist()))
