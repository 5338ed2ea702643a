"""How many levels of memory? Banks and chains of decaying variables, what they remember at each age, and how many of them pay.

Associations are written as Poisson events at r a second into fan-in N; the effective weight is W(t) = sum over writes of K(t - t_mu) v k^T.
The kernel of a bank is K = sum_j b_j exp(-t/tau_j); a chain of beakers has the same kernels (``bank``). Everything follows from K:

    SNR^2(t) = (N/r) K(t)^2 / V,   V = integral of K^2                                                          (``curve``)
"""
