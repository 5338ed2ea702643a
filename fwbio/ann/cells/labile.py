"""Fast weights that adapt: the delta rule with a gain of each axon's own, raised by surprise and used up by writing (``fwbio.slot.labile``).

    q = |e|^2/|h|^2,  u = gamma [q - kappa]+^2                    one broadcast number; gamma and kappa are trained, both above 0
    z <- z + s u,  g = z/(1 + z),  write,  z <- z + s (g - z)     s_j = k_j^2/max k^2: axons that are active
    z <- 1 + (z - 1) rho                                          recovery from token to token

The rest is as in ``delta_rule``.
"""

import torch
from torch import nn

from fwbio.ann.cells import delta_rule


class Cell(delta_rule.Cell):
    """As ``delta_rule``; gamma, kappa : where the two start. rho : what is left of z - 1 after a token. surprise : False leaves u out."""

    def __init__(self, units, lam=1.0, gamma=10.0, kappa=0.3, rho=0.99, surprise=True, **options):
        super().__init__(units, lam, **options)
        self.rho, self.surprise = rho, surprise
        self.log_gamma, self.log_kappa = nn.Parameter(torch.tensor(gamma).log()), nn.Parameter(torch.tensor(kappa).log())

    def gain(self, key, surprise, z):
        share = key * key / ((key * key).amax(-1, keepdim=True) + 1e-6)
        if self.surprise:
            z = z + share * torch.exp(self.log_gamma) * torch.relu(surprise - torch.exp(self.log_kappa)) ** 2
        g = z / (1 + z)
        return g, 1 + (z + share * (g - z) - 1) * self.rho
