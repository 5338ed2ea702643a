"""The workloads in NEST: W1 with tsodyks2_synapse, W2 with its nearest plastic synapse, stdp_synapse (pair traces; no decay of the weight).

python analysis/workloads/plain_nest.py w1|traces     prints spikes and the CPU seconds of Simulate
"""

import sys
import time

import nest


def w1():
    cells = nest.Create(
        "iaf_psc_delta",
        1000,
        {"tau_m": 20.0, "V_th": 20.0, "V_reset": 10.0, "E_L": 0.0, "t_ref": 2.0, "I_e": 0.0, "V_m": nest.random.uniform(0.0, 20.0)},
    )
    drive = nest.Create("poisson_generator", params={"rate": 1150.0})
    nest.Connect(drive, cells, syn_spec={"weight": 0.7, "delay": 0.1})
    rule = {"rule": "pairwise_bernoulli", "p": 0.1, "allow_autapses": False}
    synapse = {"synapse_model": "tsodyks2_synapse", "U": 0.2, "u": 0.2, "x": 1.0, "tau_rec": 200.0, "tau_fac": 1500.0}
    nest.Connect(cells, cells, rule, {**synapse, "weight": 0.5, "delay": 1.0})
    return cells, 10000.0


def traces():
    drive = nest.Create("poisson_generator", params={"rate": 20.0})
    cells = nest.Create("parrot_neuron", 1000)
    nest.Connect(drive, cells, syn_spec={"delay": 0.1})
    synapse = {"synapse_model": "stdp_synapse", "tau_plus": 20.0, "lambda": 1e-3, "alpha": -1.0, "mu_plus": 0.0, "mu_minus": 0.0}
    nest.Connect(cells, cells, "all_to_all", {**synapse, "weight": 0.0, "Wmax": 1e9, "delay": 0.1, "receptor_type": 1})
    return cells, 5000.0


def main(workload):
    nest.resolution, nest.local_num_threads, nest.rng_seed = 0.1, 1, 1
    cells, milliseconds = {"w1": w1, "traces": traces}[workload]()
    seen = nest.Create("spike_recorder")
    nest.Connect(cells, seen)
    nest.Prepare()
    start = time.process_time()
    nest.Run(milliseconds)
    took = time.process_time() - start
    nest.Cleanup()
    print(seen.n_events, took)


if __name__ == "__main__":
    main(*sys.argv[1:])
