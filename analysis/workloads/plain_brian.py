"""The workloads as Brian2's documentation would write them: every synapse has its own states, moved exactly from event to event.

python analysis/workloads/plain_brian.py w1|traces|dendrites cpp_standalone FOLDER     builds a program in FOLDER: run FOLDER/main
python analysis/workloads/plain_brian.py w1|traces|dendrites cython SECONDS            prints spikes and the CPU seconds of the run
python analysis/workloads/plain_brian.py loop FIRST LAST                                W1 for 1 s under Cython at points FIRST to LAST of a sweep
"""

import sys
import time

from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonInput,
    SpikeMonitor,
    Synapses,
    defaultclock,
    ms,
    mV,
    prefs,
    second,
    seed,
    set_device,
)

SECONDS = {"w1": 10, "traces": 5, "dendrites": 5}


def w1(tau_f=1500 * ms):
    space = {"tau_m": 20 * ms, "U": 0.2, "tau_d": 200 * ms, "tau_f": tau_f, "w": 0.5 * mV}
    cells = NeuronGroup(
        1000,
        "dv/dt = -v/tau_m : volt (unless refractory)",
        threshold="v > 20*mV",
        reset="v = 10*mV",
        refractory=2 * ms,
        method="exact",
        namespace=space,
    )
    cells.v = "rand()*20*mV"
    drive = PoissonInput(cells, "v", N=1, rate=1150 * Hz, weight=0.7 * mV)
    model = "du/dt = (U - u)/tau_f : 1 (event-driven)\ndx/dt = (1 - x)/tau_d : 1 (event-driven)"
    made = Synapses(
        cells,
        cells,
        model,
        on_pre="v_post += w*u*x*int(not_refractory_post)\nx += -u*x\nu += U*(1 - u)",
        delay=1 * ms,
        namespace=space,
    )
    made.connect(condition="i != j", p=0.1)
    made.u, made.x = "U", 1
    return [cells, drive, made, SpikeMonitor(cells)]


def traces():
    space = {"tau": 5 * second, "tau_trace": 20 * ms, "eta": 0.5, "r0": 20 * Hz, "tau_h": 10 * ms}
    cells = NeuronGroup(1000, "dI/dt = -I/tau_h : 1", threshold="rand() < r0*dt", method="exact", namespace=space)
    made = Synapses(
        cells,
        cells,
        "dA/dt = -A/tau : 1 (event-driven)\ndp/dt = -p/tau_trace : 1 (event-driven)\ndq/dt = -q/tau_trace : 1 (event-driven)",
        on_pre="I_post += A/(1000*r0*tau_h)\nA += eta*q/(2*r0*tau)\np += 1/(r0*tau_trace)",
        on_post="A += eta*p/(2*r0*tau)\nq += 1/(r0*tau_trace)",
        namespace=space,
    )
    made.connect(condition="i != j")
    return [cells, made, SpikeMonitor(cells)]


def dendrites():
    space = {"tau": 5 * second, "eta": 0.5, "r0": 20 * Hz, "tau_h": 10 * ms}
    cells = NeuronGroup(
        1000,
        "dI/dt = -I/tau_h : 1\nh = clip(1 + I, 0, 1) : 1",
        threshold="rand() < r0*h*dt",
        method="exact",
        namespace=space,
    )
    made = Synapses(
        cells,
        cells,
        "dA/dt = -A/tau : 1 (event-driven)",
        on_pre="I_post += A/(1000*r0*tau_h)\nA += eta*h_post/(r0*tau)",
        namespace=space,
    )
    made.connect()
    return [cells, made, SpikeMonitor(cells)]


def loop(first, last):
    """As one writes a sweep by hand: a new network a point, compiled once, found in the cache by all others."""
    for k in range(first, last):
        seed(k)
        net = Network(w1((500 + 50 * k) * ms))
        net.run(1 * second)
        print(k, sum(o.num_spikes for o in net.objects if isinstance(o, SpikeMonitor)))


def main(workload, target, where):
    defaultclock.dt = 0.1 * ms
    if workload == "loop":
        prefs.codegen.target = "cython"
        loop(int(target), int(where))
        return
    if target == "cpp_standalone":
        set_device("cpp_standalone", directory=where)
    else:
        prefs.codegen.target = target
    seed(1)
    net = Network({"w1": w1, "traces": traces, "dendrites": dendrites}[workload]())
    if target == "cpp_standalone":
        net.run(SECONDS[workload] * second)
        return
    net.run(0.1 * ms)  # compiles
    start = time.process_time()
    net.run(float(where) * second)
    print(sum(o.num_spikes for o in net.objects if isinstance(o, SpikeMonitor)), time.process_time() - start)


if __name__ == "__main__":
    main(*sys.argv[1:])
