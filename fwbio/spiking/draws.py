"""Uniform random numbers that belong to a neuron and a step, so that a trial's spikes are its own.

A neuron has a ``stream`` (``fwbio.spiking.streams``); what it draws at step k is the k-th number of SplitMix64 started there.
A trial's spikes therefore do not depend on which trials run beside it, on the order, the number of processes, or the target.
"""

import numpy as np
from brian2 import check_units, implementation

from fwbio.spiking.streams import ELEVEN, GAMMA, mixed

CPP = """
#include <cstdint>
static inline double draw(double stream, int64_t step) {
    uint64_t z = (uint64_t)stream + ((uint64_t)step + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return ((z ^ (z >> 31)) >> 11) * (1.0 / 9007199254740992.0);
}
"""
CYTHON = """
cdef double draw(double stream, long long step):
    cdef unsigned long long z = <unsigned long long>stream + (<unsigned long long>step + 1) * 0x9E3779B97F4A7C15ULL
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL
    return ((z ^ (z >> 31)) >> 11) * (1.0 / 9007199254740992.0)
"""


@implementation("cpp", CPP)
@implementation("cython", CYTHON)
@implementation("numpy", discard_units=True)  # as it is: Brian2's wrapper prints every array in case its unit were wrong
@check_units(stream=1, step=1, result=1)
def draw(stream, step):
    """The number in [0, 1) that a neuron with this stream draws at this step."""
    z = np.atleast_1d(stream).astype(np.uint64)  # arrays wrap around silently, as they should
    z += np.uint64((int(step) + 1) * GAMMA % 2**64)
    return (mixed(z) >> ELEVEN) * 2.0**-53
