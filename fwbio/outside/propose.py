"""``fwbio import FILE`` without a map: a map to start from, drawn from shapes and names, with what they do not tell left as "?"."""

import numpy as np

# part of the map -> words that names in public code have; the first part that claims an array gets it
WORDS = {
    "W": ("recurrent", "w_hh", "weight_hh", "slow", "w_h", "hh", "h2h"),
    "E": ("emb", "lookup"),
    "C": ("w_ih", "weight_ih", "w_x", "input", "kernel", "x2h", "i2h", "ih"),
    "layers": ("softmax", "out", "readout", "head", "fc", "dense", "linear"),
}
NORM = ("ln", "norm", "gain", "gamma", "scale")
BETA = ("beta", "bias", "shift", "offset")
UNTOLD = """[rnn]  # none of this can be seen in weights: replace each "?"
reads = "?"  # which A is read: "previous" (the paper), "late" (one token older) or "preliminary" (written from h_0 first)
norm  = {norm}
eps   = "?"  # of the norm: 1e-5 (PyTorch), 1e-3 (Keras), 1e-12 …
lam   = "?"  # decay of A a token
eta   = "?"  # what a token writes
inner = "?"  # S, passes of the inner loop
[tokens]
symbols = "?"  # in the order of the rows of E; leave this table out if inputs are vectors
"""


def propose(arrays: dict[str, np.ndarray]) -> str:
    """A map as TOML, comments included. Raises nothing: what is not found is "?"."""
    matrices = {name: a.shape for name, a in arrays.items() if a.ndim == 2}
    squares = [name for name, shape in matrices.items() if shape[0] == shape[1]]
    W = best(squares, "W")
    if W is None:
        return says({"W": '"?"  # no square matrix here; if it is part of a larger one: {name = "…", columns = [from, to]}'}, [], "", '"?"')
    units = matrices[W][0]
    rest = {name: shape for name, shape in matrices.items() if name != W and (units in shape or likes(name, "E"))}
    parts = {"W": f'"{W}"  # square: add transpose = true if it is multiplied from the right, h W' + others(squares, W)}
    E = next((name for name in rest if likes(name, "E")), None)
    rest.pop(E, None)
    C = best([name for name in rest if units in rest[name]], "C", forbid="layers")
    known = set(matrices[E]) if E else set()
    if C is None and rest:
        C = next((name for name in rest if known & set(rest[name])), None)
    if C:
        parts["C"] = turned(C, rest.pop(C), units)
    else:
        parts["C"] = '"?"'
    if E:
        width = next((n for n in matrices[C] if n != units), units) if C else matrices[E][1]
        parts["E"] = turned(E, matrices[E], None, width)
    vectors = {name: a for name, a in arrays.items() if a.ndim == 1 or a.size == 1}
    layers, used = read_out({n: s for n, s in matrices.items() if n not in (W, C, E)}, vectors, units)
    gains = [name for name in vectors if name not in used and normal(name) and not beta(name)]
    betas = [name for name in vectors if name not in used and beta(name) and normal(name)]
    for keys, found in ((("g0", "g"), gains), (("b0", "b"), betas)):
        for key, name in zip(keys[-len(found) :] if len(found) < 3 else keys, found):
            parts[key] = f'"{name}"  # {"one number" if vectors[name].size == 1 else "one a unit"}; which of the two norms is a guess'
    left = [name for name in vectors if name not in used and name not in gains and name not in betas and vectors[name].shape == (units,)]
    for key, name in zip(("b_W", "b_C"), left):
        parts[key] = f'"{name}"'
    taken = {line.split('"')[1] for line in [*parts.values(), *layers] if '"' in line} | used
    unused = "".join(f"# not used: {name} {arrays[name].shape}\n" for name in arrays if name not in taken)
    kind = {0: '"?"  # "both", "inner" or "none": no norm was recognised', 1: '"inner"  # one norm was recognised'}
    return says(parts, layers, unused, kind.get(len(gains), '"both"  # two norms were recognised'))


def read_out(matrices, vectors, units):
    """Lines of the layers, chained by their widths, and the vectors that they use."""
    lines, used, width = [], set(), units
    while found := next((n for n, shape in matrices.items() if width in shape), None):
        shape = matrices.pop(found)
        after = shape[0] if shape[1] == width else shape[1]
        stem = found.lower().rsplit(".", 1)[0].rsplit("/", 1)[0]
        fits = [n for n in vectors if vectors[n].shape == (after,) and n not in used and not normal(n)]
        bias = next((n for n in fits if n.lower().startswith(stem)), next(iter(fits), None) if after != units else None)
        used |= {bias} - {None}
        pair = [turned(found, shape, after, width).split("  #")[0], *([f'"{bias}"'] if bias else [])]
        lines.append(f"[{', '.join(pair)}]")
        width = after
    return lines, used


def best(names, part, forbid=None):
    """The name that sounds most like the part; the only one, if there is one only."""
    allowed = [n for n in names if forbid is None or not likes(n, forbid) or likes(n, part)]
    liked = sorted(
        (n for n in allowed if likes(n, part)), key=lambda n: min((k for k, w in enumerate(WORDS[part]) if w in n.lower()), default=-1)
    )
    return next(iter(liked or allowed), None)


def likes(name, part) -> bool:
    return leaf(name) == part or any(word in name.lower() for word in WORDS[part] if len(leaf(name)) > 1)


def leaf(name) -> str:
    return name.replace("/", ".").rsplit(".", 1)[-1]


def beta(name) -> bool:
    return leaf(name) in ("b0", "b") or any(word in name.lower() for word in BETA)


def normal(name) -> bool:
    """Whether it sounds like a norm's gain or bias."""
    return leaf(name) in ("g0", "b0", "g", "b") or any(word in name.lower() for word in NORM)


def turned(name, shape, rows, columns=None) -> str:
    """The array, transposed if its shape says so."""
    a, b = shape
    if a == b:
        return f'"{name}"  # square {shape}: add transpose = true if it is multiplied from the right'
    straight = (rows in (None, a)) and (columns in (None, b))
    return f'"{name}"' if straight else f'{{name = "{name}", transpose = true}}'


def others(names, chosen) -> str:
    rest = [name for name in names if name != chosen]
    return f"; as square: {', '.join(rest)}" if rest else ""


def says(parts, layers, unused, norm) -> str:
    lines = ["# A proposal from shapes and names. Check every line.", "[arrays]"]
    lines += [f"{key} = {text}" for key, text in parts.items()]
    lines += [
        "[readout]",
        f"layers = [{', '.join(layers)}]",
        'answers = "?"  # classes are "digit" (10) or "symbol" (37, in the order of symbols); leave it out for another task',
    ]
    return "\n".join(lines) + "\n" + UNTOLD.format(norm=norm) + unused
