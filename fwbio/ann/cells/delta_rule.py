"""Fast weights that correct instead of adding: the delta rule of Schlag, Irie & Schmidhuber 2021 (arXiv 2102.11174, eq. 22-24).

    A(t) = lambda A(t-1) + e (g k)^T,   e = h(t) - A(t-1) k,   k = h/|h|,   g = beta             h(t) is the value, its direction the key

key = "before" takes the direction of h(t-1) for the key: what came before predicts what comes. The rest is as in ``fast_weights``. In the attention form
each token keeps what it wrote, e and g k.
"""

import torch
from torch import nn

from fwbio.ann.cells.fast_weights import read
from fwbio.ann.layer_norm import LayerNorm


class Cell(nn.Module):
    """lam : decay of A a token. beta : share of the error that is written. key : "own" or "before", see above."""

    def __init__(self, units, lam=0.95, beta=0.5, inner=1, start=0.3, key="own"):
        super().__init__()
        self.columns, self.lam, self.beta, self.inner, self.lag = units, lam, beta, inner, {"own": 0, "before": 1}[key]
        self.W = nn.Parameter(start * torch.eye(units))
        self.first, self.norm = LayerNorm(units), LayerNorm(units)

    def gain(self, key, surprise, z):
        """g of every axon, and its state after the write; none here. surprise : |e|^2/|h|^2."""
        return self.beta, z

    def forward(self, x):
        weight = self.lam ** torch.arange(len(x) - 1, -1, -1, dtype=x.dtype)[:, None, None]
        states, sizes, errors, keys, z = [], [], [], [], torch.ones_like(x[0])
        for t, drive in enumerate(x):
            slow = torch.addmm(drive, states[-1], self.W.T) if t else drive
            past = (torch.stack(errors), torch.stack(keys), weight[-len(keys) :]) if keys else None
            state = torch.relu(self.first(slow))
            for _ in range(self.inner):
                state = torch.relu(self.norm(slow + (read(state, *past) if past else 0.0)))
            states.append(state)
            sizes.append((state * state).sum(-1, keepdim=True) + 1e-6)
            if t < self.lag:
                continue
            key = states[t - self.lag] * torch.rsqrt(sizes[t - self.lag])
            error = state - read(key, *past) if past else state
            g, z = self.gain(key, (error * error).sum(-1, keepdim=True) / sizes[t], z)
            errors.append(error)
            keys.append(g * key)
        return states
