"""What several test files share."""

import pytest

from fwbio.cards import circuit, reader


@pytest.fixture
def mutate(monkeypatch):
    """``mutate(card, block, key, wrong)``: from here on that card reads with one entry wrong."""

    def apply(card, block, key, wrong):
        right = reader.read

        def mutated(name):
            tables = right(name)
            if name == card:
                tables[block][key] = wrong
            return tables

        monkeypatch.setattr(reader, "read", mutated)

    return apply


SMALL = """
kind  = "circuit"
name  = "small"
title = "Two groups of excitatory and some inhibitory neurons"
sources = [{key = "Brunel2000", text = "Brunel. J Comput Neurosci 8 (2000) 183", doi = "10.1023/A:1008925309027"}]
[population.E]
size       = 60
neuron     = "lif"
bind       = {tau_m = "15 ms", V_r = "16 mV", sigma = "1 mV"}
background = "24 mV"
groups     = {item = {count = 2, size = 20}}
[population.I]
size       = 15
neuron     = "lif"
bind       = {tau_m = "10 ms", V_r = "13 mV", sigma = "1 mV"}
background = "21 mV"
[projection.EE]
from    = "E"
to      = "E"
synapse = "tsodyks_markram_a"
set     = "Mongillo"
into    = "V"
connect = {indegree = 12}
delay   = {low = "0.1 ms", high = "1 ms"}
weight  = {same = "2 mV", other = "0.5 mV", onto_rest = "2 mV", share = 0.3}
[projection.IE]
from    = "E"
to      = "I"
synapse = "static"
into    = "V"
connect = {p = 0.5}
delay   = "1 ms"
weight  = "0.5 mV"
[projection.EI]
from    = "I"
to      = "E"
synapse = "tsodyks_markram"
set     = "I2"
into    = "V"
connect = "all"
delay   = {low = "0.5 ms", high = "2 ms"}
weight  = "-0.4 mV"
[protocol]
duration = "0.1 s"
dt       = "0.1 ms"
step     = {cue = {target = "E.item1", factor = 1.5, start = "20 ms", length = "40 ms"}}
[record]
every = "5 ms"
[expose]
mu_E = "population.E.background"
[agree]
protocol = "stationary rates"
quantity = "rate"
bound    = "0.5"
valid    = "nowhere: it is too small"
"""


@pytest.fixture
def small(tmp_path):
    """``small({"population.E.size": 30})``: a small circuit, with values replaced by full name (None: taken out)."""

    def make(changes=(), text=SMALL):
        path = tmp_path / "small.toml"
        path.write_text(text)
        tables = reader.read(path)
        for name, value in dict(changes).items():
            *way, key = name.split(".")
            table = tables
            for step in way:
                table = table.setdefault(step, {})
            table.pop(key, None) if value is None else table.update({key: value})
        reader.fit(tables, reader.KINDS["circuit"], "small.toml:", "")
        return circuit.build(tables, path)

    make.text = SMALL
    return make
