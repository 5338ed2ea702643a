"""Can a network that others trained be taken over by a map alone? Reads results/outside_network (simulations/outside_network.py), imports
its weights with simulations/outside_network.map.toml, lets theory choose r0 and the length of a token for 99.4 % same decisions with at most 50
neurons a unit (by 1,000 validation sequences, no spikes), holds RNN and spikes against the network's own logits and states on its own
1,000 test sequences, and exits with 1 if a claim fails. Writes results/outside_network/compare (about 5 minutes).

    python analysis/outside_network.py
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np

from fwbio import load, sizing
from fwbio.claims import Finding, conclude
from fwbio.figures import canvas
from fwbio.job import carry_out
from fwbio.outside import card
from fwbio.tasks import retrieval

HERE, SOURCE, MAP = Path(__file__).parent, Path("results/outside_network"), Path("simulations/outside_network.map.toml")

NEURONS, PLANNED = 50, 0.994  # so that of 1,000 decisions 99 % are the same but for a few per cent of chance


def measure() -> dict:
    """The figures of ``fwbio compare`` beside the network's own outputs, kept in the results folder."""
    folder, new = SOURCE / "compare", SOURCE / "card" / "outside_network.toml"
    if not (folder / "run.json").exists():
        shutil.rmtree(new.parent, ignore_errors=True)
        new.parent.mkdir()
        card.make(SOURCE / "weights.npz", MAP, new)
        network, outputs = load(new), SOURCE / "outputs.npz"
        choose_by = retrieval(4, 1000, seed=7, split="validation").x(network)
        fits = [size for size in sizing.for_agreement(network, choose_by, PLANNED).tried if size.neurons <= NEURONS and size.low >= PLANNED]
        print("  ".join(f"{size.token:g} s: {size.neurons} neurons" for size in fits), "; the shortest token is taken")
        changes = sizing.pace(network, fits[0].token, fits[0].r0)
        options = dict(
            changes=changes, trials=None, neurons=NEURONS, neuron=None, seed=0, no_fast=False, out=folder, force=True, quiet=False
        )
        carry_out(new, None, **options, inputs=outputs, ann=outputs)
    return json.loads((folder / "run.json").read_text())


def draw(beside) -> None:
    caption = (
        "A network trained elsewhere, imported by a map: error of h at each token against the network's own states (float64), over their "
        "spread. RNN and rate equations should stay at the rounding of the sums; spikes at what 50 neurons a unit allow. A step at one token "
        "would be a convention misread: the wrong A, or another order of tokens."
    )
    with canvas(7, 4, caption) as (figure, axes):
        for level in ("rnn", "rate", "spiking"):
            axes.plot(np.array(beside[level]["hidden_by_token"]), "o-", ms=3, label=level)
        axes.set(xlabel="token", ylabel="error of h over its spread (1)", yscale="log")
        axes.legend()
        figure.savefig(HERE / "figures" / "outside_network.png", dpi=150)


def main() -> int:
    record = measure()
    beside = record["beside_ann"]
    draw(beside)
    claims = [
        ("RNN: other decisions than the source", 1 - beside["rnn"]["agreement"], 0.0),
        ("RNN: largest difference of a logit", beside["rnn"]["logits_largest_difference"], 1e-10),
        ("rate: other decisions than the source", 1 - beside["rate"]["agreement"], 0.0),
        (f"spikes, n = {record['neurons']}: other decisions than the source", 1 - beside["spiking"]["agreement"], 0.01),
        ("the same, off what spike noise predicts", abs(beside["spiking"]["agreement"] - record["spiking"]["agreement_predicted"]), 0.01),
    ]
    print(
        f"{record['trials']} sequences, {record['spiking']['spikes_a_decision']:,} spikes in the first; accuracy of the source {beside['ann']['accuracy']:.4f}, spikes {record['spiking']['accuracy']:.4f}"
    )
    return conclude(Finding(*claim) for claim in claims)


if __name__ == "__main__":
    sys.exit(main())
