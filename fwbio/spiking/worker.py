"""The child process that talks to Brian2, so that the user's own interpreter never changes device, clock or seed.

python -m fwbio.spiking.worker build FOLDER     structure.json -> a compiled program and what it reads and writes
python -m fwbio.spiking.worker run FOLDER       structure.json, parameters.npz -> outputs.npz (NumPy or Cython target)
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np

from fwbio.spiking.structure import Structure

ORPHAN = """
#ifdef __linux__
syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, SIGKILL);
#endif
"""  # no child outlives the one who wants its results
TOLD = 100  # times a run says how far it is. Brian2's own report asks the system for the time at every object of every step
TELL = 'static inline double tell(double done) { std::cout << "progress " << done << std::endl; return done; }'
PEAK = """{ std::ifstream status("/proc/self/status"); std::string line;
while (std::getline(status, line)) if (line.rfind("VmHWM:", 0) == 0) std::cout << "peak " << line.substr(6) << std::endl; }"""


def opened(folder: Path) -> tuple:
    """The structure that waits in ``folder``, and the module that makes a Brian2 network of it."""
    tables = json.loads((folder / "structure.json").read_text())
    if tables.get("kind") == "circuit":
        from fwbio.spiking import circuit, circuit_structure

        return circuit_structure.Structure(**tables), circuit
    from fwbio.spiking import network

    return Structure(**tables), network


def build(folder: Path) -> None:
    """Writes and compiles the standalone program in ``folder``; leaves ``manifest.json`` last, when all is well."""
    from brian2 import Synapses, get_device, prefs, set_device

    prefs.devices.cpp_standalone.extra_make_args_unix = [f"-j{os.cpu_count()}"]  # Brian2's plain -j starts every compiler at once

    s, form = opened(folder)
    shapes = json.loads((folder / "shapes.json").read_text())
    set_device("cpp_standalone", build_on_run=False)
    device = get_device()
    prefs.codegen.cpp.headers += ["<unistd.h>", "<csignal>", "<sys/syscall.h>"]
    device.insert_code("main", ORPHAN)
    device.insert_code("main", 'brian::_random_generators[0].seed(std::strtoul(std::getenv("FWBIO_SEED"), NULL, 10));')
    device.apply_run_args()
    tables = {name: np.zeros(shape) for name, shape in shapes.items() if "." not in name}
    objects = form.assemble(s, tables)
    form.initialise(s, objects)
    net, found = form.whole(objects), form.outputs(s, objects)
    net.add(teller(s))
    form.simulate(s, objects, net)
    for name in tables:  # what the program used comes back, so that the parent can compare
        device.insert_code("before_end", write_back(name, f"brian::{name}_values", int(np.prod(shapes[name]))))
    wanted = {made.variables[variable] for made, variable in found.values()}
    for name, made in objects.items():  # nobody reads a synapse's other arrays: do not write them to disk
        if isinstance(made, Synapses):
            for variable, array in device.dynamic_arrays.items():
                if getattr(variable.owner, "name", None) in (name, f"{name}_pre") and variable not in wanted:
                    device.insert_code("before_end", f"brian::{array}.clear(); brian::{array}.shrink_to_fit();")
    device.insert_code("after_end", PEAK)
    device.build(directory=str(folder), results_directory="results", compile=True, run=False)
    files = {}
    for name, (made, variable) in found.items():
        var = made.variables[variable]
        files[name] = (device.get_array_filename(var), np.dtype(var.dtype).str)
    back = {}
    for name in shapes:
        if "." in name:
            group, variable = name.split(".")
            var = objects[group].variables[variable]
            back[name] = (device.get_array_filename(var), np.dtype(var.dtype).str)
        else:
            back[name] = (f"used_{name}", "<f8")
    (folder / "manifest.json").write_text(json.dumps({"outputs": files, "back": back}))


def teller(s):
    """A Brian2 object that writes how far the run is, on a clock of its own."""
    from brian2 import NeuronGroup, check_units, implementation, second

    @implementation("cpp", TELL)
    @check_units(done=1, result=1)
    def tell(done):
        raise NotImplementedError

    every = s.dt * max(1, round(s.duration / s.dt / TOLD))
    space = {"tell": tell, "length": s.duration * second}
    group = NeuronGroup(1, "told : 1", dt=every * second, namespace=space, name="teller")
    group.run_regularly("told = tell(t/length)")
    return group


def write_back(name, array, size) -> str:
    return (
        f'{{ std::ofstream used(brian::results_dir + "used_{name}", std::ios::binary); '
        f"used.write(reinterpret_cast<char*>({array}), {size}*sizeof({array}[0])); }}"
    )


def run(folder: Path) -> None:
    """Interprets the network with the target the structure names and writes ``outputs.npz``."""
    from brian2 import Quantity, prefs, second, seed

    s, form = opened(folder)
    prefs.codegen.target = s.target
    with np.load(folder / "parameters.npz", allow_pickle=False) as archive:
        values = {name: archive[name] for name in archive.files}
    seed(int(os.environ["FWBIO_SEED"]))
    objects = form.assemble(s, {name: value for name, value in values.items() if "." not in name})
    for name, value in values.items():
        if "." in name:
            group, variable = name.split(".")
            getattr(objects[group], f"{variable}_")  # raises for a name that is not there
            objects[group].variables[variable].set_value(value)
    form.initialise(s, objects)
    net = form.whole(objects)

    def report(elapsed, completed, start, duration):
        print("progress", completed, flush=True)

    form.simulate(s, objects, net, report=report, report_period=0.5 * second)
    found = {}
    for name, (made, variable) in form.outputs(s, objects).items():
        data = getattr(made, f"{variable}_" if isinstance(getattr(made, variable), Quantity) else variable)
        found[name] = np.asarray(data).T if np.ndim(data) == 2 else np.asarray(data)
    np.savez(folder / "outputs.npz", **found)


if __name__ == "__main__":
    if sys.platform == "linux" and sys.argv[1] != "build":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    sys.modules["pylab"] = None  # Brian2 then comes without plotting, 0.6 s sooner
    {"build": build, "run": run}[sys.argv[1]](Path(sys.argv[2]))
