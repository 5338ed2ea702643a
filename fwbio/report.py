"""The table that ``fwbio compare`` prints, and its closing sentence."""

from fwbio.comparison import MARGIN


def percent(value) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def figure(value) -> str:
    return "" if value is None else f"{value:.2e}" if value < 1e-3 else f"{value:.4f}"


def table(f: dict) -> str:
    """The figures of a Comparison as lines of text."""
    levels = [level for level in ("rnn", "rate", "spiking") if level in f]
    off = "" if f["fast"] else ", fast weights off"
    head = (
        f"{f['card']}: {f['trials']} trials{in_a_row(f)}, {f['units']} units of {f['neurons']} {f['neuron']} neurons, seed {f['seed']}{off}"
    )
    rate, spiking = f.get("rate", {}), f.get("spiking", {})
    beside = {
        "agreement": f"above {100 * MARGIN:g} %; surely above {percent(spiking.get('agreement_low'))}; {percent(spiking.get('agreement_predicted'))} predicted",
        "hidden_rmse": f"rate at most {figure(rate.get('hidden_bound'))}; spiking {figure(spiking.get('hidden_rmse_predicted'))} predicted",
        "counts_rmse": f"{figure(spiking.get('counts_rmse_predicted'))} predicted",
        "A_error": f"{figure(spiking.get('A_error_predicted'))} predicted",
    }
    names = {
        "accuracy": ("accuracy", percent),
        "agreement": (f"same decision as {f['reference']}", percent),
        "hidden_rmse": ("error of h / sd of h", figure),
        "counts_rmse": ("the same, h from spike counts", figure),
        "current_rmse": ("error of I / sd of I", figure),
        "A_error": ("error of A / size of A", figure),
    }
    lines = [head, "", f"{'':30}" + "".join(f"{level:>11}" for level in levels) + "   should be"]
    for key, (name, show) in names.items():
        values = [f[level].get(key) for level in levels]
        if any(value is not None for value in values):
            should = beside.get(key, "") if " predicted" not in beside.get(key, "") or "predicted" in str(spiking.keys()) else ""
            lines.append(f"{name:30}" + "".join(f"{show(value):>11}" for value in values) + f"   {should}".rstrip())
    lines += ["", sentence(f), *extra(f)]
    if "beside_ann" in f:
        from fwbio.outside.outputs import table as beside_ann

        lines += beside_ann(f["beside_ann"])
    if "seconds" in f:
        s = f["seconds"]
        lines.append(f"build {s['build']:.1f} s, run {s['run']:.1f} s, peak memory {f['peak_memory_mb']:.0f} MB")
    return "\n".join(lines)


def in_a_row(f: dict) -> str:
    if "sequences" not in f:
        return ""
    settled = f["stationary_after"]
    short = f"; A would be stationary after {settled:,.0f}" if settled > f["left_out"] else ""
    return f" of {f['sequences']} sequences without reset (first {f['left_out']} not asked{short})"


def extra(f: dict) -> list[str]:
    """What --target-error adds, and the split of the error."""
    lines = []
    if "agreement" in f.get("target", {}):
        t, got = f["target"], f["spiking"]
        for size in t["tried"]:
            chosen = "  <- chosen: the shortest within 10 % of the fewest spikes" if size["token"] == t["token"] else ""
            enough = f"{size['predicted']:8.2%}" + ("" if size["low"] >= t["agreement"] else " (not enough)")
            lines.append(
                f"  token {1e3 * size['token']:6.4g} ms: {size['neurons']:5} neurons a unit, {size['spikes']:10,.0f} spikes a decision, {enough}{chosen}"
            )
        open_ = "not told apart from it, more --trials would tell"
        met = "met" if got["agreement_low"] >= t["agreement"] else "missed" if got["agreement_high"] < t["agreement"] else open_
        lines.append(
            f"wanted {t['agreement']:.2%} same decisions: theory asks for {t['neurons']} neurons a unit at r0 = {t['r0']:g} Hz and tokens of "
            f"{1e3 * t['token']:.4g} ms; measured {got['agreement']:.2%} (95 %: {got['agreement_low']:.2%} to {got['agreement_high']:.2%}), "
            f"{met}; {got['spikes_a_decision']:,} spikes in the first trial"
        )
    elif "target" in f:
        t, got = f["target"], f["spiking"]["hidden_rmse"]
        met = "met" if got <= t["error"] else "met within 10 %" if got <= 1.1 * t["error"] else "missed"
        lines.append(f"wanted error of h {t['error']:.3g}: theory asks for {t['neurons']} neurons a unit; measured {got:.3g}, {met}")
    if "budget" in f.get("spiking", {}):
        parts = f["spiking"]["budget"]
        lines.append(
            f"what the square of the error of h is made of ({parts['trials']} trials run twice, and twice at dt/2; unbiased estimates, so below 0 where "
            "there is nothing to be seen; 95 % intervals):"
        )
        for name in ("bias", "variance", "integration", "total"):
            p = parts[name]
            lines.append(f"  {name:12} {p['square']:9.2e}  [{p['low']:9.2e}, {p['high']:9.2e}]")
    return lines


def sentence(f: dict) -> str:
    words = {
        "equivalent": "The descriptions are equivalent on these trials",
        "different": "The descriptions differ",
        "inconclusive": "Inconclusive",
    }
    return f"{words[f['verdict']]}: {f['reason']}."
