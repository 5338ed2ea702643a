"""LN[z] = gain (z - mean) / sqrt(var + eps) + bias over the hidden units of one sample, never over the batch (Ba, Kiros & Hinton 2016)."""

import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, units, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.g, self.b = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))

    def forward(self, z):
        return nn.functional.layer_norm(z, z.shape[-1:], self.g, self.b, self.eps)
