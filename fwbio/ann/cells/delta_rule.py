"""Fast weights that correct instead of adding: the delta rule of Schlag, Irie & Schmidhuber 2021 (arXiv 2102.11174, eq. 22-24).

    A(t) = lambda A(t-1) + beta (h - A(t-1) k) k^T,   k = h/|h|             h(t) is the value, its direction the key

The rest is as in ``fast_weights``. In the attention form each token keeps the correction that it wrote, v = h - A(t-1) k.
"""

import torch
from torch import nn

from fwbio.ann.cells.fast_weights import read
from fwbio.ann.layer_norm import LayerNorm


class Cell(nn.Module):
    def __init__(self, units, lam=0.95, beta=0.5, inner=1, start=0.3):
        super().__init__()
        self.columns, self.lam, self.beta, self.inner = units, lam, beta, inner
        self.W = nn.Parameter(start * torch.eye(units))
        self.first, self.norm = LayerNorm(units), LayerNorm(units)

    def forward(self, x):
        weight = self.beta * self.lam ** torch.arange(len(x) - 1, -1, -1, dtype=x.dtype)[:, None, None]
        states, values, keys = [], [], []
        for t, drive in enumerate(x):
            z = torch.addmm(drive, states[-1], self.W.T) if t else drive
            past = (torch.stack(values), torch.stack(keys), weight[-t:]) if t else None
            state = torch.relu(self.first(z))
            for _ in range(self.inner):
                state = torch.relu(self.norm(z + (read(state, *past) if t else 0.0)))
            key = state * torch.rsqrt((state * state).sum(-1, keepdim=True) + 1e-6)
            keys.append(key)
            values.append(state - read(key, *past) if t else state)
            states.append(state)
        return states
