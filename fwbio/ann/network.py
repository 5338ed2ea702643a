"""What stands around every cell, the same for all: embedding, input weights, read-out (Ba et al. 2016, section 4.1)."""

import math

import torch
from torch import nn


class Network(nn.Module):
    """E, C: tokens to the cell's columns; V1, c1, V2, c2: the read-out of the last state, with a ReLU between.

    inputs : how many symbols, if tokens are whole numbers; how many numbers a token has, if they are real vectors
    """

    def __init__(self, cell, units, inputs, classes, symbols=True, embedding=100, readout=100):
        super().__init__()
        self.E = nn.Parameter(torch.randn(inputs, embedding)) if symbols else None
        given = embedding if symbols else inputs
        self.C = nn.Parameter(torch.randn(cell.columns, given) / math.sqrt(given))
        self.cell = cell
        self.V1 = nn.Parameter(torch.randn(readout, units) / math.sqrt(units))
        self.c1 = nn.Parameter(torch.zeros(readout))
        self.V2 = nn.Parameter(torch.randn(classes, readout) / math.sqrt(readout))
        self.c2 = nn.Parameter(torch.zeros(classes))

    def forward(self, tokens, **noise):
        """Logits (batch, classes) and the states of every token of ``tokens``, (batch, length) symbols or (batch, length, inputs)."""
        if self.E is None:
            x = tokens.transpose(0, 1) @ self.C.T
        else:  # one row a symbol is multiplied, not one a token
            x = nn.functional.embedding(tokens.T, self.E @ self.C.T)
        states = self.cell(x, **noise)
        return torch.relu(states[-1] @ self.V1.T + self.c1) @ self.V2.T + self.c2, states

    def weights(self) -> dict:
        """Its parameters by the names of the shipped ``.npz``, as float64 arrays."""
        names = {"cell.first.g": "g0", "cell.first.b": "b0", "cell.norm.g": "g", "cell.norm.b": "b"}
        return {names.get(k, k.removeprefix("cell.")): v.detach().double().numpy() for k, v in self.state_dict().items()}
