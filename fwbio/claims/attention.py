"""Fast weights are attention: what A(t) does to a query q is a sum over the past, and A itself is never needed (Ba et al. 2016, eq. 4).

    A(t) q = eta sum_{tau <= t} lambda^(t-tau) h(tau) [key(tau) . q]          value h(tau), key(tau), no softmax

RNN and rate equations: key = h. Spikes: the post factor is the dendrite's drive h(tau), held through the write window, and the
pre factor is counted spike by spike as it is written: spike k of neuron b of unit j at t_k adds write_gain eta h_i/r0 to A_i,jb, and
that decays for (t - t_k). Seen from the end of its own token, with Delta its length,

    key_jb(tau) = (write_gain/r0) sum_k exp(-(end of token tau - t_k)/tau_A):           exact, for every axon.

Bounds
    RNN     round-off: T + 1 products and sums of N terms, every term's error at most eps/2 of its size, powers and products
            along lambda^k twice that: 2 (T + N) eps of eta sum lambda^k h (h . |q|)
    rate    the integrator: 2 T phases of at most 4 steps, each off by rtol = 1e-12: 8e-12 T < 1e-10 of the largest A
    spikes  1e-10 (round-off: N n spikes) for A, mean over a unit's axons; A of single axons is kept in float32: half a unit of its
            last digit, 2^-24 of each weight
            1e-10 also for the whole run: h of every token computed again from the input, the saved spike times and the sum
            above, through the pool's normalisation, which makes round-off larger by gain/spread of the drives: below 100
    counts  with the number of spikes seen instead of their times: a spike counts 1 instead of exp(-(end - t_k)/tau_A) over its mean in
            the window, so that no weight is off by more than the largest deviation of that ratio from 1 (deterministic)
"""

from dataclasses import dataclass, replace

import numpy as np

from fwbio.cards.network import load
from fwbio.claims import Finding
from fwbio.describe import run
from fwbio.pacing import gate
from fwbio.tasks import retrieval

EPS, ROUND_OFF, FLOAT32 = np.finfo(float).eps, 1e-10, 2.0**-24


def measure(full=False):
    """Six findings: RNN, rate, and four of one trial of the spiking network."""
    trials = 20 if full else 3
    net = load("retrieval", neurons=100 if full else 10)
    task = retrieval(trials=trials, seed=5)
    discrete, rate = run(net, task, "rnn"), run(net, task, "rate", rtol=1e-12, atol=1e-14)
    spikes = Spikes.of(run(net, replace(task, tokens=task.tokens[:1], target=task.target[:1]), "spiking", seed=5, **target(full)))
    size = 2 * (task.length + net.units) * EPS
    by_count, longest = attention(net, spikes.h, spikes.seen), spikes.spread()
    exact = attention(net, spikes.h, spikes.keys.mean(axis=2))
    axons = np.einsum("tki,kjb->tjbi", attention_weights(net, spikes.h), spikes.keys)
    deviation, ratio = by_weight(by_count, spikes.A), np.abs(axons - spikes.A_axon)[axons > 0] / axons[axons > 0]
    again = spikes.again()
    data = {"h": spikes.h, "again": again, "A": spikes.A, "exact": exact, "by_count": by_count, "longest": np.array(longest)}
    return [
        Finding("RNN: A q against the attention sum over its own h", queries(net, discrete), size),
        Finding("rate equations: A against the sum over their own h", off(attention(net, rate.h[0], rate.h[0]), rate.A[0]), ROUND_OFF),
        Finding("spikes: A against the sum over the run's drives and spike times", off(exact, spikes.A), ROUND_OFF, data=data),
        Finding("spikes: A of every axon, of each weight", float(ratio.max()), FLOAT32 + ROUND_OFF),
        Finding("spikes: h of every token from input and spike times, without A", float(np.abs(again - spikes.h).max()), ROUND_OFF),
        Finding("spikes: A against the sum over counts, of each weight", float(deviation.max()), longest + ROUND_OFF),
    ]


def target(full):
    """Small networks need no compiler; one trial, not a batch."""
    return {"batch": 1} if full else {"batch": 1, "target": "numpy"}


def attention_weights(net, h):
    """eta lambda^(t-tau) h_i(tau): (t, tau, post), zero for the future."""
    eta = net.projections["fast"].synapse.values["eta"]
    age = np.subtract.outer(np.arange(len(h)), np.arange(len(h)))
    return eta * np.where(age >= 0, net.lam ** np.maximum(age, 0), 0.0)[:, :, None] * h[None]


def attention(net, h, key):
    """The sum as a matrix, A(t) of every token: (t, post, pre), from h and key (tau, units)."""
    return np.einsum("tki,kj->tij", attention_weights(net, h), key)


def off(got, wanted):
    return float(np.abs(got - wanted).max() / np.abs(wanted).max())


def by_weight(got, wanted):
    """|got - wanted| of every weight that has been written, relative to itself."""
    written = got > 0
    assert not wanted[~written].any()
    return np.abs(got - wanted)[written] / got[written]


def queries(net, discrete):
    """|A q - sum| relative to the sum of the terms' sizes, the largest over trials, tokens and five random queries."""
    q, worst = np.random.default_rng(0).standard_normal((net.units, 5)), 0.0
    for h, A in zip(discrete.h, discrete.A):
        weights = attention_weights(net, h)
        got, size = (np.einsum("tki,kq->tiq", weights, h @ query) for query in (q, np.abs(q)))
        nonzero = size > 0
        worst = max(worst, float((np.abs(A @ q - got)[nonzero] / size[nonzero]).max()))
    return worst


@dataclass(frozen=True)
class Spikes:
    """One trial of a spiking run. steps, unit, neuron : of each spike. keys : (tokens, units, neurons) at the end of each token."""

    run: object
    steps: np.ndarray
    unit: np.ndarray
    neuron: np.ndarray
    keys: np.ndarray

    @classmethod
    def of(cls, found):
        net, trace = found.network, found.spikes
        unit, neuron = np.divmod(trace.spike_i, net.neurons)
        steps = np.round(trace.spike_t / net.dt).astype(int)
        tokens = found.h.shape[1]
        keys, per_token = np.zeros((tokens, net.units, net.neurons)), round(net.token / net.dt)
        token, at = np.divmod(steps, per_token)
        written = (token < tokens) & (at >= per_token - round(net.window / net.dt))
        left = np.exp(-(per_token - at[written]) * net.dt / net.tau)
        np.add.at(keys, (token[written], unit[written], neuron[written]), left)
        write = gate(net, net.projections["fast"], net.dt).write[-1] / net.r0
        return cls(found, steps, unit, neuron, write * keys)

    @property
    def h(self):
        return self.run.h[0]

    @property
    def seen(self):
        return self.run.spikes.seen[0]

    @property
    def A(self):
        return self.run.A[0]

    @property
    def A_axon(self):
        return self.run.spikes.A_axon

    def spread(self):
        """The largest |exp(-(end - t)/tau_A)/mean - 1| over the steps of a write window."""
        net = self.run.network
        left = np.exp(-np.arange(1, round(net.window / net.dt) + 1) * net.dt / net.tau)
        return float(np.abs(left / left.mean() - 1).max())

    def again(self):
        """h (tokens, units), each from the tokens before by the attention sum: nowhere is there an A."""
        from fwbio.rnn import layer_norm, relu

        net, x = self.run.network, self.run.task.x(self.run.network)[0]
        norms = [[m.values[k] for k in ("gain", "bias", "eps")] for m in (net.norm_first, net.norm)]
        W, read = net.projections["slow"].weight, gate(net, net.projections["fast"], net.dt).read
        per_token, per_phase = (round(span / net.dt) for span in (net.token, net.phase))
        eta, h = net.projections["fast"].synapse.values["eta"], np.zeros_like(x)
        for t in range(len(x)):
            z = x[t] + (W @ self.seen[t - 1] if t else 0.0)
            state = relu(layer_norm(z, *norms[0]))
            for s in range(net.inner):
                at = self.steps - t * per_token
                in_phase = (at >= (s + 1) * per_phase - round(net.window / net.dt)) & (at < (s + 1) * per_phase)
                sent = np.zeros((net.units, net.neurons))
                decay = np.exp(-at[in_phase] * net.dt / net.tau)
                np.add.at(sent, (self.unit[in_phase], self.neuron[in_phase]), decay)
                score = np.einsum("kjb,jb->k", self.keys[:t], sent) * read[s] / (net.neurons * net.r0)
                fast = (eta * net.lam ** np.arange(t - 1, -1, -1) * score) @ h[:t]
                state = relu(layer_norm(z + fast, *norms[1]))
            h[t] = state
        return h


def draw(findings):
    """Every weight of the spiking network against the attention sum: with spike times, with counts, and h without A."""
    from fwbio.figures import canvas

    data = findings[2].data
    caption = (
        "One trial of the spiking network, every fast weight after every token. Left: against the attention sum over "
        "its own drives and spike times; "
        "a point off the diagonal would be a failure. Middle: the relative error of the sum over spike counts; a point "
        "outside the dashed lines, the "
        "largest deviation of the decay from its mean in the write window, would be a failure. Right: h of every unit "
        "and token, computed again from "
        "input and spike times without any A; a point off the diagonal would be a failure."
    )
    with canvas(10, 4.2, caption, 1, 3) as (figure, (times, counts, hidden)):
        A, written = data["A"], data["by_count"] > 0
        times.loglog(A[written], data["exact"][written], ".", ms=1, rasterized=True)
        times.set(xlabel="A, kept by synapses (1)", ylabel="A, attention over spike times (1)")
        counts.semilogx(A[written], (data["by_count"] / np.where(written, A, 1) - 1)[written], ".", ms=1, rasterized=True)
        for sign in (-1, 1):
            counts.axhline(sign * data["longest"], color="black", ls="--", lw=0.8)
        counts.set(xlabel="A, kept by synapses (1)", ylabel="attention over counts / A - 1 (1)")
        hidden.plot(data["h"].ravel(), data["again"].ravel(), ".", ms=3)
        hidden.set(xlabel="h of the run (1)", ylabel="h without A (1)")
        for axis, top in ((times, A.max()), (hidden, data["h"].max())):
            axis.plot(
                [A[written].min() if axis is times else 0, top], [A[written].min() if axis is times else 0, top], color="black", lw=0.6
            )
    return figure
