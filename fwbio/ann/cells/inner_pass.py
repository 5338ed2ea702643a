"""A control: the second pass of fast weights with slow weights in the place of A.

    z(t+1) = W h(t) + x(t+1),  h_0 = relu(LN_0[z]),  h_s+1 = relu(LN[z + U h_s]),  h(t+1) = h_S

U is learned and fixed through a sequence: the same depth and the same norms, R^2 parameters more, and nothing that is written fast.
"""

import math

import torch
from torch import nn

from fwbio.ann.layer_norm import LayerNorm


class Cell(nn.Module):
    def __init__(self, units, inner=1, start=1.0):
        super().__init__()
        self.columns, self.inner = units, inner
        self.W, self.U = nn.Parameter(start * torch.eye(units)), nn.Parameter(torch.randn(units, units) / math.sqrt(units))
        self.first, self.norm = LayerNorm(units), LayerNorm(units)

    def forward(self, x):
        states = []
        for t, drive in enumerate(x):
            z = torch.addmm(drive, states[-1], self.W.T) if t else drive
            state = torch.relu(self.first(z))
            for _ in range(self.inner):
                state = torch.relu(self.norm(torch.addmm(z, state, self.U.T)))
            states.append(state)
        return states
