"""The discrete description: the fast-weight RNN of Ba et al. (2016) in plain NumPy, batched, float64.

    h_0(t+1)   = f(LN_0[z(t+1)]),   z(t+1) = W h(t) + b_W + x(t+1)             eq. 1, 2   (LN_0 is an option)
    h_s+1(t+1) = f(LN[z(t+1) + A h_s(t+1)]),  s = 0 .. S-1,  h(t+1) = h_S      eq. 2, section 3.2
    A(t)       = lambda A(t-1) + eta h(t) h(t)^T                               eq. 3
    A(t) q     = eta sum_{tau <= t} lambda^(t-tau) h(tau) [h(tau) . q]         eq. 4: the attention form

f is ReLU. LN normalises over the hidden units of one sample, never over the batch.
"""

from dataclasses import dataclass

import numpy as np

from fwbio.errors import BadInput

READS = ("previous", "late", "preliminary")


@dataclass(frozen=True)
class Trace:
    """h : (trials, tokens, units). A : (trials kept, tokens from ``since`` on, units, units) after each token's write."""

    h: np.ndarray
    A: np.ndarray


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
    gain,
    bias,
    eps,
    lam,
    eta,
    inner=1,
    gain0=None,
    bias0=None,
    bias_W=0.0,
    reads="previous",
    norm_first=True,
    form="explicit",
    keep=0,
    since=0,
):
    """Runs every trial from h = 0, A = 0.

    W : (units, units). x : (trials, tokens, units), the input C x(t) of every token (with its bias, if it has one)
    gain, bias, gain0, bias0 : (units,) or scalar, of the inner loop's LN and of LN on h_0 (None: the same as the inner ones)
    eps : of LN. lam, eta : decay and rate of the fast weights. inner : S
    reads : which A the inner loop of step t+1 reads: "previous" A(t) (the paper); "late" A(t-1); "preliminary"
        lambda A(t) + eta h_0 h_0^T, which is also what is stored
    norm_first : LN on h_0 or not. form : "explicit" keeps A as a matrix, "attention" sums over the past
    keep, since : how many trials' A to return (explicit form only), and from which token on

    Returns a Trace. Raises BadInput for shapes that do not fit or an unknown option.
    """
    if np.ndim(x) != 3:
        raise BadInput(f"x has shape {np.shape(x)}: (trials, tokens, units) is wanted")
    trials, tokens, units = x.shape
    if W.shape != (units, units):
        raise BadInput(f"W has shape {W.shape}, but x has {units} units: {(units, units)} is wanted")
    if reads not in READS:
        raise BadInput(f"reads = {reads!r}: use one of {', '.join(READS)}")
    if form not in ("explicit", "attention"):
        raise BadInput(f"form = {form!r}: use explicit or attention")
    if inner < 0:
        raise BadInput(f"inner = {inner}: use a whole number from 0 up")
    for name, value in {"gain": gain, "bias": bias, "gain0": gain0, "bias0": bias0}.items():
        if np.shape(value) not in ((), (units,)):
            raise BadInput(f"{name} has shape {np.shape(value)}: one number or {(units,)} is wanted")
    gain0, bias0 = gain if gain0 is None else gain0, bias if bias0 is None else bias0
    memory = Matrix(trials, units, lam, eta) if form == "explicit" else Attention(lam, eta)
    h = np.zeros((trials, units))
    states, kept = np.empty_like(x), np.zeros((min(keep, trials) if form == "explicit" else 0, tokens - since, units, units))
    for t in range(tokens):
        z = h @ W.T + bias_W + x[:, t]
        state = relu(layer_norm(z, gain0, bias0, eps) if norm_first else z)
        if reads == "preliminary":
            memory.write(state)
        for _ in range(inner):
            state = relu(layer_norm(z + memory.read(state, skip_last=reads == "late"), gain, bias, eps))
        h = state
        if reads != "preliminary":
            memory.write(h)
        states[:, t] = h
        if len(kept) and t >= since:
            kept[:, t - since] = memory.A[:keep]
    return Trace(states, kept)


class Matrix:
    """The fast weights as A itself: eq. 3."""

    def __init__(self, trials, units, lam, eta):
        self.lam, self.eta = lam, eta
        self.A = self.before = np.zeros((trials, units, units))

    def write(self, h):
        self.before = self.A
        self.A = self.lam * self.A + self.eta * h[:, :, None] * h[:, None, :]

    def read(self, h, skip_last):
        return ((self.before if skip_last else self.A) @ h[:, :, None])[:, :, 0]


class Attention:
    """The fast weights as the states they were written from: eq. 4. Never forms A."""

    def __init__(self, lam, eta):
        self.lam, self.eta, self.past = lam, eta, []

    def write(self, h):
        self.past.append(h)

    def read(self, h, skip_last):
        past = self.past[:-1] if skip_last else self.past
        total = np.zeros_like(h)
        for age, old in enumerate(reversed(past)):
            total += self.eta * self.lam**age * old * (old * h).sum(axis=1, keepdims=True)
        return total


def read_out(h, layers):
    """Logits (trials, classes) from the last state (trials, units); layers : [(V, c), …], ReLU between them."""
    for k, (V, c) in enumerate(layers):
        h = (relu(h) if k else h) @ V.T + c
    return h
