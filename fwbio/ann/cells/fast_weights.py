"""Fast weights (Ba et al. 2016) in the attention form, A never formed.

    z(t+1) = W h(t) + x(t+1)                                                (paper, eq. 1-2)
    h_0    = relu(LN_0[z])
    F      = sum_{tau <= t} weight(t - tau) h(tau) [h(tau) . h_s]           (A(t) h_s, paper, eq. 4)
    h_s+1  = relu(LN[z + F]),   h(t+1) = h_S                                (eq. 2 with layer norm, section 3.2)

weight(age) = sum over levels of eta/levels lambda^age. Lambda may be trained, one a level for the network or for each unit (row of A).

Noise, if asked for, is that of n Poisson neurons a unit that fire mu spikes per unit of h in a phase:
each phase sees h + sqrt(h / (n mu)) xi, and each score h(tau) . h_s an extra Gaussian term of variance
sum_j h_j(tau) h_sj / (n mu^2), because the synapses of one axon meet its own counts again at read-out
(the derivation stands in ``fwbio.noise``).
"""

import torch
from torch import nn

from fwbio.ann.layer_norm import LayerNorm


class Cell(nn.Module):
    """lam : decay a token of each level. learn : "no", "network" or "unit": whether lambda is trained, and one for what.

    start : W is start * identity at first. norm : False leaves layer normalisation out. key : "own", or "before": A is written from h(tau) h(tau-1)^T.
    """

    def __init__(self, units, lam=(0.9,), eta=0.5, inner=1, start=0.3, norm=True, learn="no", key="own"):
        super().__init__()
        self.columns, self.eta, self.inner, self.lag = units, eta, inner, {"own": 0, "before": 1}[key]
        self.W = nn.Parameter(start * torch.eye(units))
        self.first, self.norm = (LayerNorm(units), LayerNorm(units)) if norm else (nn.Identity(), nn.Identity())
        logit = torch.tensor(lam).logit()[:, None].expand(-1, units if learn == "unit" else 1).clone()
        if learn == "no":
            self.register_buffer("decay", logit, persistent=False)
        else:
            self.decay = nn.Parameter(logit)

    def weight(self, length):
        """What age 0, 1, … weigh in A, (length, 1 or units)."""
        ages = torch.arange(length, dtype=self.decay.dtype)[:, None, None]
        return self.eta * (torch.sigmoid(self.decay) ** ages).mean(1)

    def forward(self, x, noise=None):
        """noise : (1/n, mu), the neurons a unit and their spikes per unit of h in a phase."""
        weight = self.weight(len(x)).flip(0)[:, None]
        clean, seen = [], []  # h, and h as the synapses saw it (with the noise of the spikes)
        for t, drive in enumerate(x):
            z = torch.addmm(drive, seen[-1], self.W.T) if t else drive
            state = torch.relu(self.first(z))
            written = t - self.lag
            post, pre = (torch.stack(clean[self.lag :]), torch.stack(seen[:written])) if written > 0 else (None, None)
            for _ in range(self.inner):
                fast = read(state, post, pre, weight[-written:], noise) if written > 0 else 0.0
                state = torch.relu(self.norm(z + fast))
            clean.append(state)
            seen.append(state if noise is None else poisson_noise(state, *noise))
        return seen


def read(probe, post, pre, weight, noise=None):
    """A probe of the states A was written from: sum over tau of weight post(tau) [pre(tau) . probe]."""
    score = (pre * (probe if noise is None else poisson_noise(probe, *noise))).sum(-1, keepdim=True)
    if noise is not None:
        variance = (pre.clamp(min=0) * probe).sum(-1, keepdim=True) * noise[0] / noise[1] ** 2
        score = score + torch.sqrt(variance.detach()) * torch.randn_like(score)
    return (weight * score * post).sum(0)


def poisson_noise(h, per_neuron, mu):
    """``h`` as 1/``per_neuron`` neurons with ``mu`` spikes per unit of h show it: variance h/(n mu), gradient straight through."""
    return h + torch.sqrt(h.detach() * per_neuron / mu) * torch.randn_like(h)
