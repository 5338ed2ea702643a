"""Holographic memory in an LSTM: Danihelka, Wayne, Uria, Kalchbrenner & Graves 2016, arXiv 1602.03032, eq. 10-22.

The state is complex, units/2 numbers; o is the product of complex numbers, P_s one random permutation a copy, and

    bound(z)    = z / max(1, |z|)
    u, r_i, r_o = bound of W h(t-1) + b + x(t);   g_f, g_i, g_o = sigmoid
    c_s(t)      = g_f c_s(t-1) + (P_s r_i) o (g_i u)
    h(t)        = g_o bound(mean over copies s of (P_s r_o) o c_s(t))

Tensors hold the real parts first, then the imaginary ones. As in the paper r_o reads with its own, learned key.
"""

import math

import torch
from torch import nn

from fwbio.errors import BadInput


class Cell(nn.Module):
    def __init__(self, units, copies=4, forget=1.0):
        super().__init__()
        if units % 2:
            raise BadInput(f"--units {units}: the state of associative_lstm is complex, so use an even number")
        half = units // 2
        self.columns, self.half, self.copies = 3 * half + 3 * units, half, copies
        self.W = nn.Parameter(torch.empty(self.columns, units).uniform_(-1, 1) / math.sqrt(units))
        self.b = nn.Parameter(torch.zeros(self.columns))
        with torch.no_grad():
            self.b[:half] = forget
        self.register_buffer("P", torch.stack([torch.arange(half), *(torch.randperm(half) for _ in range(copies - 1))]))

    def forward(self, x):
        x = x + self.b
        batch, half = x.shape[1], self.half
        h = x.new_zeros(batch, 2 * half)
        real, imag = x.new_zeros(2, batch, self.copies, half)
        states = []
        for drive in x:
            raw = torch.addmm(drive, h, self.W.T)
            forget, take, give = torch.sigmoid(raw[:, : 3 * half]).chunk(3, 1)
            u, key, probe = (bound(*pair.chunk(2, 1)) for pair in raw[:, 3 * half :].chunk(3, 1))
            u = (take * u[0])[:, None], (take * u[1])[:, None]
            key, probe = ([part[:, self.P] for part in pair] for pair in (key, probe))
            real, imag = (forget[:, None] * old + new for old, new in zip((real, imag), product(key, u)))
            found = bound(*(part.mean(1) for part in product(probe, (real, imag))))
            h = torch.cat([give * found[0], give * found[1]], 1)
            states.append(h)
        return states


def product(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def bound(real, imag):
    """z / max(1, |z|)."""
    size = torch.rsqrt((real * real + imag * imag).clamp(min=1.0))
    return real * size, imag * size
