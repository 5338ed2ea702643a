"""Arrays out of other people's files, by name: ``.npz``, ``.safetensors``, ``.pt``. Nothing in a file is ever executed."""

import os
import zipfile
from pathlib import Path

import numpy as np

from fwbio.cards import weights
from fwbio.errors import BadInput, nearest

KINDS = (".npz", ".safetensors", ".pt", ".pth")


def read(path) -> dict[str, np.ndarray]:
    """Every array of the file, as it stands there; nested names are joined by dots.

    Raises BadInput for another kind of file, a damaged or oversized one, and one that holds pickled code.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    if path.suffix not in KINDS:
        raise BadInput(f"{path}: weights are read from {', '.join(KINDS)}; save them as one of these")
    if os.path.getsize(path) > weights.LARGEST:
        raise BadInput(f"{path}: {os.path.getsize(path):,} bytes; at most {weights.LARGEST:,} are read")
    if path.suffix == ".npz":
        return weights.unpack(path)
    return safetensors(path) if path.suffix == ".safetensors" else torch_file(path)


def safetensors(path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as archive:
            return {name: archive.get_tensor(name) for name in archive.keys()}
    except (SafetensorError, OSError, TypeError, ValueError, AttributeError) as error:
        hint = "; arrays are float64 or float32" if "bfloat16" in str(error).lower() else ""
        raise BadInput(f"{path}: not a complete .safetensors file ({error}){hint}; save it again") from None


def torch_file(path) -> dict[str, np.ndarray]:
    """By ``torch.load(weights_only=True)``: tensors and plain containers, no pickled objects."""
    import torch

    if zipfile.is_zipfile(path):
        weights.unpacked_size(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its reader met
        raise BadInput(
            f"{path}: holds more than tensors, or is damaged ({str(error).splitlines()[0][:120]}); "
            "save model.state_dict() with torch.save, or use .safetensors"
        ) from None
    return dict(flat(content, "", torch))


def flat(content, name, torch):
    """(name, array) of every tensor in nested dictionaries and lists."""
    if isinstance(content, torch.Tensor):
        yield name, bare(content, torch)
    elif isinstance(content, dict) or isinstance(content, list | tuple):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from flat(value, f"{name}.{key}" if name else str(key), torch)


def bare(tensor, torch):
    """As NumPy; a half-precision kind that NumPy lacks is called float16, which is refused where it is used."""
    tensor = tensor.detach()
    return tensor.half().numpy() if tensor.dtype == torch.bfloat16 else tensor.resolve_conj().numpy()


def array(arrays, name, where) -> np.ndarray:
    """One of them as float64. Raises BadInput: missing, not float32 or float64, not finite."""
    if name not in arrays:
        raise BadInput(f"{where} = {name!r}: the file has no such array{nearest(name, arrays)}")
    found = arrays[name]
    if found.dtype not in (np.float32, np.float64):
        raise BadInput(f"{where}: '{name}' is {found.dtype}; use float64 (or float32)")
    if not np.isfinite(found).all():
        at = tuple(int(k) for k in np.argwhere(~np.isfinite(found))[0])
        raise BadInput(f"{where}: '{name}'{list(at)} = {found[at]}; weights must be finite")
    return found.astype(np.float64)
