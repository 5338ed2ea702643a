"""The discrete description: the fast-weight RNN of Ba et al. (2016) in plain NumPy, batched, float64.

    h_0(t+1)   = f(LN_0[z(t+1)]),   z(t+1) = W h(t) + b_W + x(t+1)             eq. 1, 2   (LN_0 is an option)
    h_s+1(t+1) = f(LN[z(t+1) + A h_s(t+1)]),  s = 0 .. S-1,  h(t+1) = h_S      eq. 2, section 3.2
    A(t)       = lambda A(t-1) + eta h(t) h(t)^T                               eq. 3
    A(t) q     = eta sum_{tau <= t} lambda^(t-tau) h(tau) [h(tau) . q]         eq. 4: the attention form

f is ReLU. LN normalises over the hidden units of one sample, never over the batch. A may be a sum of levels, each with a rule of its
own: the one above (``Decay``) or one that forgets with use and not with time (``Use``).
"""

from dataclasses import dataclass, field
from functools import reduce

import numpy as np

from fwbio.errors import BadInput

READS = ("previous", "late", "preliminary")


@dataclass(frozen=True)
class Trace:
    """h : (trials, tokens, units). A : (trials kept, tokens from ``since`` on, units, units) after each token's write; levels : its terms, by name."""

    h: np.ndarray
    A: np.ndarray
    levels: dict = field(default_factory=dict)


def total(levels: dict, shape) -> np.ndarray:
    """A, the sum over the levels; zeros of that shape if there are none."""
    return reduce(np.add, levels.values()) if levels else np.zeros(shape)


@dataclass(frozen=True)
class Decay:
    """A(t) = lambda A(t-1) + eta h h^T: time erases."""

    lam: float
    eta: float

    def write(self, A, h):
        return self.lam * A + self.eta * h[:, :, None] * h[:, None, :]


@dataclass(frozen=True)
class Use:
    """dA/ds = gain (most - A) h_post h_pre - loss A h_pre^2 over a token's write, s from 0 to 1: use erases (Limbacher et al. 2022).

    h is constant there, the equation linear in A, and this its solution: A relaxes towards most gain h_post/(gain h_post + loss h_pre).
    """

    gain: float
    loss: float
    most: float

    def write(self, A, h):
        up, down = self.gain * h[:, :, None] * h[:, None, :], self.loss * (h * h)[:, None, :]
        rate = up + down
        end = self.most * np.divide(up, rate, out=np.zeros_like(rate), where=rate > 0)
        return A * np.exp(-rate) - end * np.expm1(-rate)


def rules(network) -> dict:
    """The discrete rule of each level of a paced network, by projection, with the parameters that its card's [rnn] names."""
    found = {}
    for name, p in network.levels.items():
        says, values = p.synapse.card.get("rnn"), p.synapse.values
        if says is None:
            raise BadInput(f"{network.name}: {p.synapse.name} (projection.{name}) has no [rnn], so this network has no discrete RNN")
        if (p.reads, p.writes) != ("inner", "last"):
            raise BadInput(f'{network.name}: projection.{name}: the discrete RNN takes reads = "inner" and writes = "last"')
        if says["rule"] == "use":
            found[name] = Use(*(values[says[role]] for role in ("gain", "loss", "most")))
        else:
            found[name] = Decay(float(np.exp(-network.token / p.tau)), values[says["eta"]])
    return found


def relu(u):
    return np.maximum(u, 0.0)


def layer_norm(z, gain, bias, eps):
    """gain (z - mean) / sqrt(var + eps) + bias over the last axis; gain and bias per unit (units,) or scalar."""
    z = z - z.mean(axis=-1, keepdims=True)
    return gain * z / np.sqrt((z * z).mean(axis=-1, keepdims=True) + eps) + bias


def run(
    W,
    x,
    *,
    gain=None,
    bias=0.0,
    eps=0.0,
    lam=None,
    eta=None,
    levels=None,
    inner=1,
    gain0=None,
    bias0=None,
    bias_W=0.0,
    reads="previous",
    norm_first=True,
    form="explicit",
    keep=0,
    since=0,
    wipe=None,
):
    """Runs every trial from h = 0, A = 0.

    W : (units, units). x : (trials, tokens, units), the input C x(t) of every token (with its bias, if it has one)
    gain, bias, gain0, bias0 : (units,) or scalar, of the inner loop's LN and of LN on h_0 (None: the same as the inner ones);
        without a gain nothing is normalised
    eps : of LN. inner : S. levels : rules of the fast weights by name, A is their sum; lam, eta : for one level, {"A": Decay(lam, eta)}
    reads : which A the inner loop of step t+1 reads: "previous" A(t) (the paper); "late" A(t-1); "preliminary"
        lambda A(t) + eta h_0 h_0^T, which is also what is stored
    norm_first : LN on h_0 or not. form : "explicit" keeps A as a matrix, "attention" sums over the past
    keep, since : how many trials' A to return (explicit form only), and from which token on
    wipe : a ``fwbio.wipe.Wipe``, which sets h, A or W to zero before one of the tokens

    Returns a Trace. Raises BadInput for shapes that do not fit or an unknown option.
    """
    if np.ndim(x) != 3:
        raise BadInput(f"x has shape {np.shape(x)}: (trials, tokens, units) is wanted")
    trials, tokens, units = x.shape
    if W.shape != (units, units):
        raise BadInput(f"W has shape {W.shape}, but x has {units} units: {(units, units)} is wanted")
    if reads not in READS:
        raise BadInput(f"reads = {reads!r}: use one of {', '.join(READS)}")
    levels = {"A": Decay(lam, eta)} if levels is None else levels
    if form == "attention" and not all(isinstance(rule, Decay) for rule in levels.values()):
        raise BadInput('form = "attention": weights that decay with use are no sum over the past; use explicit')
    if form not in ("explicit", "attention"):
        raise BadInput(f"form = {form!r}: use explicit or attention")
    if inner < 0:
        raise BadInput(f"inner = {inner}: use a whole number from 0 up")
    for name, value in {"gain": gain, "bias": bias, "gain0": gain0, "bias0": bias0}.items():
        if value is not None and np.shape(value) not in ((), (units,)):
            raise BadInput(f"{name} has shape {np.shape(value)}: one number or {(units,)} is wanted")
    gain0, bias0 = gain if gain0 is None else gain0, bias if bias0 is None else bias0
    norm_first = norm_first and gain0 is not None
    memory = Matrix(trials, units, levels) if form == "explicit" else Attention(levels.values())
    h, slow = np.zeros((trials, units)), np.zeros((trials, units))
    shape = (min(keep, trials) if form == "explicit" else 0, tokens - since, units, units)
    states, kept = np.empty_like(x), {name: np.zeros(shape) for name in levels}
    for t in range(tokens):
        if wipe and wipe.before == t:
            slow, W = slow * (wipe.what != "h"), W * (wipe.what != "W")
            if wipe.what == "A":
                memory.clear()
        z = slow + bias_W + x[:, t]
        state = relu(layer_norm(z, gain0, bias0, eps) if norm_first else z)
        if reads == "preliminary":
            memory.write(state)
        for _ in range(inner):
            drive = z + memory.read(state, skip_last=reads == "late")
            state = relu(drive if gain is None else layer_norm(drive, gain, bias, eps))
        h = state
        if reads != "preliminary":
            memory.write(h)
        states[:, t], slow = h, h @ W.T
        for name, A in kept.items() if shape[0] and t >= since else ():
            A[:, t - since] = memory.levels[name][:keep]
    return Trace(states, total(kept, shape), kept)


class Matrix:
    """The fast weights as A itself: eq. 3, level by level."""

    def __init__(self, trials, units, rules):
        self.rules, self.shape = rules, (trials, units, units)
        self.clear()

    def clear(self):
        self.levels = {name: np.zeros(self.shape) for name in self.rules}
        self.A = self.before = total(self.levels, self.shape)

    def write(self, h):
        self.before = self.A
        self.levels = {name: rule.write(self.levels[name], h) for name, rule in self.rules.items()}
        self.A = total(self.levels, self.shape)

    def read(self, h, skip_last):
        return ((self.before if skip_last else self.A) @ h[:, :, None])[:, :, 0]


class Attention:
    """The fast weights as the states they were written from: eq. 4, summed over levels. Never forms A."""

    def __init__(self, rules):
        self.rules, self.past = list(rules), []

    def clear(self):
        self.past = []

    def write(self, h):
        self.past.append(h)

    def read(self, h, skip_last):
        past = self.past[:-1] if skip_last else self.past
        found = np.zeros_like(h)
        for age, old in enumerate(reversed(past)):
            weight = sum(rule.eta * rule.lam**age for rule in self.rules)
            found += weight * old * (old * h).sum(axis=1, keepdims=True)
        return found


def read_out(h, layers):
    """Logits (trials, classes) from the last state (trials, units); layers : [(V, c), …] or [(V,), …], ReLU between them."""
    for k, (V, *c) in enumerate(layers):
        h = (relu(h) if k else h) @ V.T + sum(c)
    return h
