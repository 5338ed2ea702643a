"""The exact reductions: the claim holds, a form that is off is found out, what is no reduction is refused, and ``--plain``."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from fwbio.cards import legal, network, reader
from fwbio.claims import reductions
from fwbio.cli import main
from fwbio.describe import run
from fwbio.errors import BadInput
from fwbio.spiking.batches import batch_size
from fwbio.tasks import RandomInput

pytestmark = pytest.mark.slow


@pytest.mark.full
def test_it_holds():
    findings = reductions.measure()
    assert {f.claim: f.verdict for f in findings} == {f.claim: "holds" for f in findings}
    assert all(f.data["spikes"] > 50 for f in findings[:-1])
    figure = reductions.draw(findings)
    assert "failure" in figure._supxlabel.get_text()
    assert all("(" in axis.get_xlabel() for axis in figure.axes)


def doubled(net):
    fast = net.projections["fast0"]
    values = {**fast.synapse.values, "tau": 2 * fast.synapse.values["tau"]}
    return replace(net, projections={**net.projections, "fast0": replace(fast, synapse=replace(fast.synapse, values=values))})


def test_a_form_with_its_tau_doubled_is_found_out(monkeypatch):
    monkeypatch.setattr(
        reductions, "run", lambda net, *args, plain, **more: run(doubled(net) if plain else net, *args, plain=plain, **more)
    )
    net = reductions.free("static", [reductions.clock("100 ms")], 0.4, dt=5e-4)
    assert reductions.compare("tau doubled", net, RandomInput(1, 0), target="numpy").verdict == "fails"


def test_nothing_to_compare_is_no_success():
    net = reductions.free("static", [reductions.clock("100 ms")], 0.1, dt=5e-4)
    net = replace(net, r0=0.01, neuron=replace(net.neuron, values={**net.neuron.values, "r0": 0.01}))
    assert reductions.compare("silent", net, RandomInput(1, 0), target="numpy").verdict == "fails"


@pytest.mark.parametrize("synapse", ["tsodyks_markram_a", "tsodyks_markram_3state"])
def test_what_decays_on_the_axon_is_not_the_synapses_to_share(synapse):
    # du/dt = -u/tau_f of the axon was once taken for a shared decay of the synapses
    if synapse not in reader.shipped():
        pytest.skip("no such card")
    found = reductions.compare(
        synapse, reductions.free(synapse, [reductions.clock("100 ms")], 0.3, dt=5e-4), RandomInput(1, 0), target="numpy"
    )
    assert found.verdict == "holds"


# --- refused -------------------------------------------------------------------------------------------------------------

SAYS = {
    "a decay that is not linear": "takes a linear one",
    "a decay towards something else": "takes a linear one",
    "a tau of each synapse's own": "'T' must be one number",
    "a tau from an array": "not a number with a unit",
    "release failure": "must be identical",
    "synapses that start apart": "must be identical",
    "an axon that reads the other side": "'h_post' does not stand there",
    "an axon that reads one synapse": "'w' does not stand there",
    "a trace of each postsynaptic cell": "has no spikes of its own",
    "a delay": "unknown key 'projection.fast.delay'",
    "a plain form too large": "50,000,000 synapses",
}


@pytest.mark.parametrize("name", reductions.ILLEGAL)
def test_illegal_uses_are_refused_in_words(name):
    assert SAYS[name] in reductions.refusal(name)


def test_a_delay_in_a_mechanism_card_is_refused_too(tmp_path):
    text = reader.find("hebbian").read_text().replace("[spiking]", '[spiking]\ndelay = "2 ms"', 1)
    (tmp_path / "late.toml").write_text(text)
    with pytest.raises(BadInput, match="unknown key 'spiking.delay'"):
        reader.read(str(tmp_path / "late.toml"))


def test_every_shipped_network_is_legal():
    for name in network.networks():
        legal.check(network.load(name))


def test_a_spiking_run_of_an_illegal_card_never_starts():
    net = reductions.free("static", [reductions.clock("100 ms")], 0.2, dt=5e-4)
    fast = net.projections["fast0"]
    card = {**fast.synapse.card, "spiking": {**fast.synapse.card["spiking"], "write": ["A += rand()*write_gain*eta*h_post/r0"]}}
    net = replace(net, projections={"fast": replace(fast, synapse=replace(fast.synapse, card=card))})
    with pytest.raises(BadInput, match="must be identical"):
        run(net, RandomInput(1, 0), "spiking")


# --- --plain -------------------------------------------------------------------------------------------------------------


def test_plain_on_the_command_line_is_refused_where_it_is_too_large_or_senseless(tmp_path):
    for arguments, word in ((["retrieval"], "50,000,000 synapses"), (["retrieval", "--level", "rnn"], "no synapses")):
        result = CliRunner().invoke(main, ["run", *arguments, "--plain", "--out", str(tmp_path / "out")])
        assert result.exit_code == 2 and word in result.output
    assert not (tmp_path / "out").exists()
    result = CliRunner().invoke(main, ["compare", "retrieval", "--plain", "--neurons", "64", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and "--neurons 63" in result.output


@pytest.mark.full
def test_plain_reaches_the_spiking_run_alone(tmp_path, monkeypatch):
    from fwbio import describe

    asked, right = {}, describe.run

    def listening(net, task, level, **options):
        asked[level] = options.get("plain", False)
        return right(net, task, level, **{**options, "plain": False, "target": "numpy", "batch": 1} if level == "spiking" else options)

    monkeypatch.setattr(describe, "run", listening)
    arguments = ["compare", "retrieval", "--plain", "--neurons", "2", "--trials", "1", "--json", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert asked == {"rnn": False, "rate": False, "spiking": True}


def test_plain_batches_are_smaller():
    net = network.load("retrieval", neurons=20)
    assert batch_size(net) == 25 and batch_size(net, plain=True) == 12  # 2 x 1000^2 synapses a trial, 25 million a child


@pytest.mark.full
def test_ten_minutes():
    net = reductions.free(*reductions.CASES["all three"], 600.0, dt=1e-4)
    found = reductions.compare("10 minutes", net, RandomInput(1, 0), target="cpp_standalone")
    assert found.verdict == "holds"
    course = found.data["A"]
    assert np.max(course[len(course) // 2 :]) < 10 * np.max(course[: len(course) // 2])  # round-off does not grow
