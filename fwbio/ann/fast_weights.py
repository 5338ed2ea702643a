"""The fast-weight RNN of Ba et al. (2016) in PyTorch, in the attention form, for training only.

    z(t+1) = W h(t) + C x(t+1)                                              (paper, eq. 1-2)
    h_0    = relu(LN_0[z])
    F(t)   = eta sum_{tau <= t} lambda^(t-tau) h(tau) [h(tau) . h_s]        (A(t) h_s, paper, eq. 4)
    h_s+1  = relu(LN[z + F]),   h(t+1) = h_S                                (eq. 2 with layer norm, section 3.2)

Noise, if asked for, is that of n Poisson neurons a unit that fire mu spikes per unit of h in a phase:
each phase sees h + sqrt(h / (n mu)) xi, and each score h(tau) . h_s an extra Gaussian term of variance
sum_j h_j(tau) h_sj / (n mu^2), because the synapses of one axon meet its own counts again at read-out
(the derivation stands in ``fwbio.noise``).
"""

import math

import torch
from torch import nn


class FastWeights(nn.Module):
    """Parameters are named as in the shipped ``.npz``: E, C, W, g0, b0, g, b, V1, c1, V2, c2."""

    def __init__(self, units, symbols, classes, lam=0.9, eta=0.5, inner=1, eps=1e-5, embedding=100, readout=100):
        super().__init__()
        self.lam, self.eta, self.inner, self.eps = lam, eta, inner, eps
        self.E = nn.Parameter(torch.randn(symbols, embedding))
        self.C = nn.Parameter(torch.randn(units, embedding) / math.sqrt(embedding))
        self.W = nn.Parameter(0.3 * torch.eye(units))
        self.g0, self.b0 = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.g, self.b = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.V1 = nn.Parameter(torch.randn(readout, units) / math.sqrt(units))
        self.c1 = nn.Parameter(torch.zeros(readout))
        self.V2 = nn.Parameter(torch.randn(classes, readout) / math.sqrt(readout))
        self.c2 = nn.Parameter(torch.zeros(classes))

    def norm(self, z, gain, bias):
        """Layer normalisation over the hidden units of one sample."""
        z = z - z.mean(-1, keepdim=True)
        return gain * z / torch.sqrt((z * z).mean(-1, keepdim=True) + self.eps) + bias

    def forward(self, tokens, n=math.inf, mu=1.0):
        """Logits (batch, classes) of integer ``tokens`` (batch, length), and all hidden states (batch, length, units).

        n : neurons a unit whose Poisson noise is added (infinite: none); mu : their spikes per unit of h in a phase.
        """
        noisy = math.isfinite(n)
        drive = self.E[tokens] @ self.C.T
        h = drive.new_zeros(len(tokens), len(self.W))
        clean, seen = [], []  # h, and h as the synapses saw it (with the noise of the spikes)
        for t in range(tokens.shape[1]):
            z = h @ self.W.T + drive[:, t]
            state = torch.relu(self.norm(z, self.g0, self.b0))
            for _ in range(self.inner):
                fast = torch.zeros_like(z)
                if t:
                    post, pre = torch.stack(clean, 1), torch.stack(seen, 1)
                    probe = poisson_noise(state, n * mu) if noisy else state
                    score = (pre * probe[:, None]).sum(-1)
                    if noisy:
                        variance = (pre.clamp(min=0) * state[:, None]).sum(-1) / (n * mu * mu)
                        score = score + torch.sqrt(variance.detach()) * torch.randn_like(score)
                    decay = self.lam ** torch.arange(t - 1, -1, -1, dtype=z.dtype)
                    fast = self.eta * ((decay * score)[..., None] * post).sum(1)
                state = torch.relu(self.norm(z + fast, self.g, self.b))
            clean.append(state)
            h = poisson_noise(state, n * mu) if noisy else state
            seen.append(h)
        logits = torch.relu(h @ self.V1.T + self.c1) @ self.V2.T + self.c2
        return logits, torch.stack(clean, 1)


def poisson_noise(h, counts):
    """``h`` as ``counts`` expected spikes per unit of h show it: variance h / counts, gradient straight through."""
    return h + torch.sqrt(h.detach() / counts) * torch.randn_like(h)
