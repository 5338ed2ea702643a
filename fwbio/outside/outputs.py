"""What somebody's own ANN answered, beside the three descriptions: decisions, cross-entropy, hidden states, and where they part."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fwbio.cards import weights
from fwbio.comparison import clopper_pearson, rmse
from fwbio.errors import BadInput

PARTED = 0.1  # of the ANN's own spread: from there on the states of a token are called apart


@dataclass(frozen=True)
class Outputs:
    """logits : (trials, classes) after the last token, or None. h : (trials, length, units), or None. dtype : the coarser one."""

    logits: np.ndarray | None
    h: np.ndarray | None
    dtype: str


def read(path, network, task, resample: bool = False) -> Outputs:
    """The outputs of an ANN for the trials of ``task``: an ``.npz`` with ``logits``, ``h`` or both.

    logits may be given for every token, (trials, length, classes); the last one counts. resample : h and logits have m steps a token,
    and the last of each m is taken. Raises BadInput with both shapes where they do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"--ann {path}: no such file; save logits (trials, classes), or h (trials, length, units), with numpy.savez")
    arrays = weights.unpack(path)
    found = {name: arrays[name] for name in ("logits", "h") if name in arrays}
    if not found:
        raise BadInput(f"{path}: neither 'logits' nor 'h' is there, only {', '.join(arrays) or 'nothing'}")
    classes = len(network.trained[network.card["readout"]["layers"][-1][0].removeprefix("trained.")])
    for name, width in (("logits", classes), ("h", network.units)):
        if name in found:
            found[name] = checked(found[name], name, width, task, resample, path)
    dtype = min((str(a.dtype) for a in found.values()), key=lambda kind: int(kind[5:]))
    return Outputs(found.get("logits"), found.get("h"), dtype)


def checked(array, name, width, task, resample, path):
    """(trials, classes) for logits, (trials, length, units) for h."""
    if array.dtype not in (np.float32, np.float64):
        raise BadInput(f"{path}: {name} is {array.dtype}; use float64 (or float32)")
    whole, short = (task.total, task.length, width), (task.total, width)
    told = f"{short} or {whole}" if name == "logits" else str(whole)
    steps = array.shape[1] if array.ndim == 3 else 0
    several = steps > task.length and steps % task.length == 0
    if resample and several:
        every = steps // task.length
        array = array[:, every - 1 :: every]
    if array.shape != whole and not (name == "logits" and array.shape == short):
        hint = "; several steps a token: add --resample" if several else ""
        raise BadInput(f"{path}: {name} has shape {array.shape}, {told} is wanted{hint}")
    array = array[: task.trials]
    if not np.isfinite(array).all():
        raise BadInput(f"{path}: {name}{[int(v) for v in np.argwhere(~np.isfinite(array))[0]]} is not finite")
    return array[:, -1] if name == "logits" and array.ndim == 3 else array


def beside(runs: dict, ann: Outputs, task) -> dict:
    """Figures of every description beside the ANN, by level; ``"ann"`` has the ANN's own."""
    own = {"dtype": ann.dtype}
    if ann.logits is not None and task.target is not None:
        own |= {"accuracy": float((ann.logits.argmax(1) == task.target).mean()), "cross_entropy": cross_entropy(ann.logits, task.target)}
    return {"ann": own} | {level: against(run, ann, task) for level, run in runs.items()}


def against(run, ann, task) -> dict:
    found = {}
    if ann.logits is not None:
        mine, theirs = run.logits.argmax(1), ann.logits.argmax(1)
        same = int((mine == theirs).sum())
        low, high = clopper_pearson(same, len(mine))
        found |= {"agreement": same / len(mine), "agreement_low": low, "agreement_high": high}
        found["logits_largest_difference"] = float(np.abs(run.logits - ann.logits).max())
        found["divergence"] = divergence(ann.logits, run.logits)
        pairs = Counter(zip(theirs[mine != theirs].tolist(), mine[mine != theirs].tolist()))
        found["confusion"] = [{"ann": a, "here": b, "trials": count} for (a, b), count in pairs.most_common(20)]
        if task.target is not None:
            found["cross_entropy"] = cross_entropy(run.logits, task.target)
    if ann.h is not None:
        size = ann.h.std() or 1.0
        by_token = np.sqrt(((run.h - ann.h) ** 2).mean(axis=(0, 2))) / size
        apart = np.flatnonzero(by_token > PARTED)
        found |= {
            "hidden_rmse": rmse(run.h, ann.h),
            "hidden_by_token": by_token.tolist(),
            "parts_at": int(apart[0]) if len(apart) else None,
        }
    return found


def log_softmax(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def cross_entropy(logits, target) -> float:
    """Mean over trials, in nats."""
    return float(-log_softmax(logits)[np.arange(len(target)), target].mean())


def divergence(theirs, mine) -> float:
    """Kullback-Leibler divergence of the answers' probabilities from the ANN's, mean over trials, in nats."""
    p, q = log_softmax(theirs), log_softmax(mine)
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


def table(found: dict) -> list[str]:
    """The figures as lines of text."""
    levels = [level for level in found if level != "ann"]
    own = found["ann"]
    lines = ["", f"{'beside your ANN (' + own['dtype'] + ')':34}" + "".join(f"{level:>11}" for level in levels)]
    rows = {
        "agreement": ("same decision", lambda v: f"{100 * v:.1f} %"),
        "agreement_low": ("  at least (95 % sure)", lambda v: f"{100 * v:.1f} %"),
        "cross_entropy": (f"cross-entropy (ANN {own.get('cross_entropy', float('nan')):.4f} nats)", lambda v: f"{v:.4f}"),
        "divergence": ("divergence from its answers (nats)", lambda v: f"{v:.2e}"),
        "hidden_rmse": ("error of h / sd of h", lambda v: f"{v:.2e}"),
    }
    for key, (name, show) in rows.items():
        if any(key in found[level] for level in levels):
            lines.append(f"{name:34}" + "".join(f"{show(found[level][key]) if key in found[level] else '':>11}" for level in levels))
    for level in levels:
        if "parts_at" in found[level]:
            at = found[level]["parts_at"]
            largest = max(found[level]["hidden_by_token"])
            told = f"stays within {largest:.2g} of its spread at every token" if at is None else f"parts at token {at} (of 0, 1, …)"
            lines.append(f"{level}: h {told}")
        for row in found[level].get("confusion", [])[:5]:
            lines.append(f"{level}: {row['trials']} x class {row['here']} where the ANN says {row['ann']}")
    return lines
