"""The sticky memory: increments that a gate keeps (Hochreiter & Schmidhuber 1997; forget gate of Gers, Schmidhuber & Cummins 2000).

i, f, o = sigmoid(.), g = tanh(.) of W h(t-1) + b + x(t);   c(t) = f c(t-1) + i g,   h(t) = o tanh(c(t))
"""

import math

import torch
from torch import nn


class Cell(nn.Module):
    def __init__(self, units, forget=1.0):
        super().__init__()
        self.columns = 4 * units
        self.W = nn.Parameter(torch.empty(4 * units, units).uniform_(-1, 1) / math.sqrt(units))
        self.b = nn.Parameter(torch.cat([torch.zeros(units), torch.full((units,), forget), torch.zeros(2 * units)]))

    def forward(self, x):
        x = x + self.b
        h = c = x.new_zeros(x.shape[1], x.shape[2] // 4)
        states = []
        for drive in x:
            i, f, g, o = torch.addmm(drive, h, self.W.T).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            states.append(h)
        return states
