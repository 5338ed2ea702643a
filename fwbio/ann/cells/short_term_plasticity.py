"""Presynaptic plasticity: W is seen through what each axon has left and has facilitated, w_ij u_j x_j (Masse et al. 2019; Mongillo et al. 2008).

    z(t+1) = W [u(t) x(t) h(t)] + x(t+1),   h(t+1) = relu(LN[z])
    within a token:  x <- x exp(-u m h),  u <- 1 - (1 - u) exp(-U m h)          m h spikes, dx/dt = -u x r, du/dt = U (1 - u) r
    to the next one: x <- 1 + (x - 1) exp(-Delta/tau_d),  u <- U + (u - U) exp(-Delta/tau_f)

One half of the units facilitates (U .15, tau_d 0.2 s, tau_f 1.5 s), the other depresses (U .45, 1.5 s, 0.2 s), as in Masse et al. A gain of an
axon: it cannot tell which partner was active, whatever the trained W.
"""

import torch
from torch import nn

from fwbio.ann.layer_norm import LayerNorm

FACILITATING, DEPRESSING = (0.15, 0.2, 1.5), (0.45, 1.5, 0.2)  # U, tau_d and tau_f in s


class Cell(nn.Module):
    """token : length Delta in s. spikes : m, of a token per unit of h."""

    def __init__(self, units, token=0.1, spikes=2.0, start=1.0):
        super().__init__()
        self.columns, self.spikes = units, spikes
        self.W, self.norm = nn.Parameter(start * torch.eye(units)), LayerNorm(units)
        rows = torch.tensor([FACILITATING if k % 2 else DEPRESSING for k in range(units)])
        self.register_buffer("U", rows[:, 0].clone(), persistent=False)
        self.register_buffer("rest", torch.exp(-token / rows[:, 1:].T), persistent=False)  # what is left of x - 1 and u - U after a token

    def forward(self, x):
        u, resource = self.U.expand(x.shape[1], -1), torch.ones_like(x[0])
        h = torch.relu(self.norm(x[0]))
        states = [h]
        for drive in x[1:]:
            sent = u * resource * h
            resource = resource * torch.exp(-u * self.spikes * h)
            u = 1 - (1 - u) * torch.exp(-self.U * self.spikes * h)
            resource = 1 + (resource - 1) * self.rest[0]
            u = self.U + (u - self.U) * self.rest[1]
            h = torch.relu(self.norm(torch.addmm(drive, sent, self.W.T)))
            states.append(h)
        return states
