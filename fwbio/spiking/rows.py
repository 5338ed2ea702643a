"""Synapses by row in C++: the synapses of an axon lie side by side, so that a spike runs through them in order.

Brian2 puts the number of every synapse of every spike into a queue, takes it out again and looks up both ends. Without delays that is not
needed, and in a network with many synapses it is most of the time. ``by_row`` gives a pathway a template of its own (``templates/synapses_by_row.cpp``): the
same statements, made by Brian2, in another loop. Order and results are the same; on other targets nothing changes.
"""

import re
import weakref

from brian2 import get_device
from brian2.devices.cpp_standalone.codeobject import CPPStandaloneCodeObject
from brian2.devices.cpp_standalone.device import CPPStandaloneDevice
from brian2.utils.stringtools import get_identifiers

ROWS = """
#include <stdexcept>
#include <string>
#include <vector>
namespace by_row {
template <class D>
void undelayed(const std::vector<D>& delay, const char* name) {
    for (D d : delay)
        if (d != 0)
            throw std::runtime_error(std::string(name) + ": a delay was set; give it to fwbio.synapses(delay=...)");
}

// runs of synapses of one axon whose targets follow each other: start[r] to start[r + 1]; those of axon i are first[i] to first[i + 1]
struct Rows {
    std::vector<size_t> first, start;
    template <class I, class D>
    Rows(const std::vector<I>& pre, const std::vector<I>& post, const std::vector<D>& delay, size_t axons, const char* name) {
        undelayed(delay, name);
        size_t axon = 0;
        first.push_back(0);
        for (size_t s = 0; s < pre.size(); s++) {
            if (s && pre[s] < pre[s - 1])
                throw std::runtime_error(std::string(name) + ": connect was called more than once; make all synapses in one call");
            for (; axon < (size_t)pre[s]; axon++)
                first.push_back(start.size());
            if (!s || pre[s] != pre[s - 1] || post[s] != post[s - 1] + 1)
                start.push_back(s);
        }
        for (; axon < axons; axon++)
            first.push_back(start.size());
        start.push_back(pre.size());
    }
};

// the synapses of each cell and their axons, side by side: those of cell j are first[j] to first[j + 1]
struct Columns {
    std::vector<size_t> first;
    std::vector<int32_t> synapse, axon;
    template <class I, class D>
    Columns(const std::vector<I>& pre, const std::vector<I>& post, const std::vector<D>& delay, size_t cells, const char* name)
        : first(cells + 1), synapse(pre.size()), axon(pre.size()) {
        undelayed(delay, name);
        for (I j : post)
            first[j + 1]++;
        for (size_t j = 0; j < cells; j++)
            first[j + 1] += first[j];
        std::vector<size_t> next(first);
        for (size_t s = 0; s < pre.size(); s++) {
            const size_t place = next[post[s]]++;
            synapse[place] = s;
            axon[place] = pre[s];
        }
    }
};
}
"""
INDICES = re.compile(r"^\s*const \w+ _(pre|post)synaptic_idx = .*$\n?", re.M)


def without_indices(code):
    """The statements without the two that look up a synapse's ends: the loop knows them."""
    return INDICES.sub("", "\n".join(code) if isinstance(code, list) else code)


class ByRow(CPPStandaloneCodeObject):
    templater = CPPStandaloneCodeObject.templater.derive("fwbio.spiking", env_globals={"without_indices": without_indices, "rows": ROWS})


def by_row(pathway) -> bool:
    """Lets a pathway of Synapses without delays run without a queue, see the module: whether it does.

    On C++ standalone only. At presynaptic spikes one ``connect`` has to make all synapses, and none may write what another of its axon uses.
    """
    if not isinstance(get_device(), CPPStandaloneDevice) or pathway.prepost == "pre" and entangled(pathway.code):
        return False

    def without_queue(run_namespace):
        pathway.code_objects[:] = [weakref.proxy(pathway.create_default_code_object(run_namespace))]

    events = pathway.source.variables[pathway.eventspace_name]
    pathway.template, pathway.codeobj_class, pathway.create_code_objects = "synapses_by_row", ByRow, without_queue
    pathway.needed_variables = [*pathway.needed_variables, pathway.eventspace_name]
    pathway.template_kwds = {**pathway.template_kwds, "eventspace_variable": events, "n_neurons": events.size - 1}
    return True


def entangled(code: str) -> bool:
    """Whether what is done for one synapse of an axon may change what is done for the next."""
    written = re.findall(r"^\s*(\w+)\s*[-+*/]?=(?!=)", code, re.M)
    ends = {name.removesuffix("_post") + "_pre" for name in written if name.endswith("_post")}
    return bool(ends & get_identifiers(code)) or any(name.endswith("_pre") for name in written)
