"""W2 with spike traces by fwbio's card, in a program of Brian2's: python analysis/workloads/traces.py FOLDER"""

import sys

from brian2 import Network, NeuronGroup, SpikeMonitor, defaultclock, ms, second, seed, set_device

import fwbio

defaultclock.dt = 0.1 * ms
set_device("cpp_standalone", directory=sys.argv[1])
seed(1)
cells = NeuronGroup(1000, "dI/dt = -I/(10*ms) : 1", threshold="rand() < 20*Hz*dt", method="exact")
rule = {"n": 1000, "r0": "20 Hz", "read_gain": "100 Hz", "write_gain": "0.2 Hz", "tau": "5 s", "tau_trace": "20 ms", "eta": 0.5}
made = fwbio.synapses("hebbian_traces", cells, cells, connect="i != j", reduced=True, **rule)
Network(cells, made, SpikeMonitor(cells)).run(5 * second)
