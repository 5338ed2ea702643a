"""Fast weights that adapt: the delta rule with a gain of each axon's own, raised by surprise and used up by writing (``fwbio.slot.labile``).

    e = h - A k,  k = h/|h|                                      what A does not know yet
    u = gamma [q - kappa]+^2,  q = |e|^2/|h|^2                    one broadcast number; gamma and kappa are trained
    z <- z + s u,  g = z/(1 + z),  A <- lambda A + e (g k)^T,  z <- z + s (g - z)          s_j = k_j^2/max k^2: axons that are active
    z <- 1 + (z - 1) rho                                          recovery from token to token

In the attention form each token keeps e and g k. The rest is as in ``fast_weights``.
"""

import torch
from torch import nn

from fwbio.ann.cells.fast_weights import read
from fwbio.ann.layer_norm import LayerNorm


class Cell(nn.Module):
    """lam : decay of A a token. gamma, kappa : where the two start. rho : what is left of z - 1 after a token. surprise : False leaves u out."""

    def __init__(self, units, lam=1.0, gamma=2.0, kappa=0.3, rho=0.99, inner=1, start=0.3, surprise=True):
        super().__init__()
        self.columns, self.lam, self.rho, self.inner, self.surprise = units, lam, rho, inner, surprise
        self.W = nn.Parameter(start * torch.eye(units))
        self.first, self.norm = LayerNorm(units), LayerNorm(units)
        self.log_gamma, self.kappa = nn.Parameter(torch.tensor(gamma).log()), nn.Parameter(torch.tensor(kappa))

    def forward(self, x):
        states, errors, keys = [], [], []
        z = torch.ones_like(x[0])
        weight = self.lam ** torch.arange(len(x) - 1, -1, -1, dtype=x.dtype)[:, None, None]
        for t, drive in enumerate(x):
            drift = torch.addmm(drive, states[-1], self.W.T) if t else drive
            past = (torch.stack(errors), torch.stack(keys), weight[-t:]) if t else None
            state = torch.relu(self.first(drift))
            for _ in range(self.inner):
                state = torch.relu(self.norm(drift + (read(state, *past) if t else 0.0)))
            size = (state * state).sum(-1, keepdim=True) + 1e-6
            key = state * torch.rsqrt(size)
            error = state - read(key, *past) if t else state
            share = key * key / ((key * key).amax(-1, keepdim=True) + 1e-6)
            if self.surprise:
                q = (error * error).sum(-1, keepdim=True) / size
                z = z + share * torch.exp(self.log_gamma) * torch.relu(q - self.kappa) ** 2
            g = z / (1 + z)
            errors.append(error)
            keys.append(g * key)
            z = 1 + (z + share * (g - z) - 1) * self.rho
            states.append(state)
        return states
