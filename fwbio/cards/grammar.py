"""The grammar of cards, as data: which keys a table may have and what stands behind them.

A name with ``!`` must be there; ``*`` stands for any name the card's author chooses.
"""

TEXT, BOOL, INT, NUMBER, EQUATION, VALUE = "text", "true or false", "a whole number", "a number", "an equation", "a quantity"


class ListOf:
    """A list whose items all fit ``item``."""

    def __init__(self, item):
        self.item = item


class OneOf:
    """One of several texts."""

    def __init__(self, *choices):
        self.choices = choices


class Either:
    """The option of the value's own type (table, text or number)."""

    def __init__(self, *options):
        self.options = options


SOURCE = {"key!": TEXT, "text!": TEXT, "doi!": TEXT}
BIND = {"*": VALUE}
RULES = {"do!": ListOf(EQUATION), "delay": TEXT}  # delay : a parameter of the card, counted from the spike; none: at the spike

MECHANISM = {
    "kind!": OneOf("mechanism"),
    "role!": OneOf("neuron", "synapse", "normalisation", "dendrite"),
    "name!": TEXT,
    "title!": TEXT,
    "family!": TEXT,
    "sources!": ListOf(SOURCE),
    "needs": {"*": {"unit!": TEXT, "meaning!": TEXT, "default": VALUE}},
    "param": {"*": {"value!": VALUE, "meaning!": TEXT, "source!": TEXT, "note": TEXT}},
    "sets": {"*": BIND},
    "spreads": {"*": BIND},
    "mixes": {"*": {"*": NUMBER}},
    "state": {"*": {"index!": ListOf(OneOf("pre", "post", "cell")), "start!": TEXT, "unit!": TEXT, "meaning!": TEXT}},
    "spiking!": {
        "ode": ListOf(EQUATION),
        "read": EQUATION,
        "write": ListOf(EQUATION),
        "pre": RULES,
        "post": RULES,
        "effective": EQUATION,
        "pool": ListOf(EQUATION),
        "latch": ListOf(EQUATION),  # paced: once a token, after its last read of fast weights and before it writes
        "dt": VALUE,
        "settle": VALUE,
        "threshold": EQUATION,
        "reset": EQUATION,
        "refractory": EQUATION,
    },
    "rate!": {
        "ode": ListOf(EQUATION),
        "pool": ListOf(EQUATION),
        "latch": ListOf(EQUATION),
        "read": EQUATION,
        "rate": EQUATION,
        "inverse": TEXT,
        "curve": EQUATION,
        "valid!": TEXT,
    },
    "counts": {"mean": EQUATION, "variance": EQUATION, "density": EQUATION},
    "rnn": {
        "rule!": OneOf("outer product", "use"),
        "reads": OneOf("previous", "late"),
        "eta": TEXT,
        "gain": TEXT,
        "loss": TEXT,
        "most": TEXT,
    },
    "agree!": {
        "protocol!": OneOf("clamped", "pairs", "single synapses", "tetanus", "rate curve", "random drives"),
        "quantity!": TEXT,
        "where": {"*": EQUATION},
        "bound!": EQUATION,
    },
}

NETWORK = {
    "kind!": OneOf("network"),
    "name!": TEXT,
    "title!": TEXT,
    "sources!": ListOf(SOURCE),
    "trained": {"file!": TEXT, "sha256!": TEXT, "command!": TEXT, "log!": TEXT, "noise": TEXT, "axes!": {"*": ListOf(TEXT)}},
    "clock": {"token!": VALUE, "inner!": INT},
    "population!": {
        "*": {
            "size!": INT,
            "neurons!": INT,
            "r0!": VALUE,
            "neuron!": TEXT,
            "dendrite": TEXT,
            "norm": TEXT,
            "phi!": EQUATION,
            "bind": BIND,
            "first": BIND,
        }
    },
    "projection!": {
        "*": {
            "from!": TEXT,
            "to!": TEXT,
            "synapse!": TEXT,
            "set": TEXT,
            "weight": Either(TEXT, {"draw!": OneOf("normal"), "sd!": NUMBER}),
            "bind": BIND,
            "reads": OneOf("inner", "last"),
            "writes": OneOf("last"),
            "note": TEXT,
        }
    },
    "rnn": {"W!": TEXT, "reads!": OneOf("previous", "late", "preliminary"), "norm_first!": BOOL},
    "input!": {"tokens": TEXT, "symbols": TEXT, "through": TEXT, "bias": TEXT, "draw": OneOf("normal"), "sd": NUMBER, "every": VALUE},
    "readout": {"from!": TEXT, "layers!": ListOf(ListOf(TEXT)), "answers": OneOf("digit", "symbol")},
    "protocol!": {
        "task": OneOf("retrieval"),
        "pairs": INT,
        "trials!": INT,
        "duration": VALUE,
        "dt": VALUE,
        "reset!": OneOf("trial", "never"),
        "sequences": INT,
        "wipe": {"what!": OneOf("h", "A", "W"), "before!": INT},
    },
    "record": {"trials!": INT, "every": VALUE},
    "expose": {"*": TEXT},
}

CIRCUIT = {
    "kind!": OneOf("circuit"),
    "name!": TEXT,
    "title!": TEXT,
    "sources!": ListOf(SOURCE),
    "population!": {
        "*": {
            "size!": INT,
            "neuron": TEXT,
            "bind": BIND,
            "background": VALUE,
            "spikes": TEXT,
            "groups": {"*": {"count!": INT, "size!": INT}},
            "note": TEXT,
        }
    },
    "projection": {
        "*": {
            "from!": TEXT,
            "to!": TEXT,
            "synapse!": TEXT,
            "set": TEXT,
            "bind": BIND,
            "into!": TEXT,
            "connect!": Either(OneOf("all"), {"indegree": INT, "p": NUMBER}),
            "self": BOOL,
            "delay!": Either(VALUE, {"low!": VALUE, "high!": VALUE}),
            "weight!": Either(VALUE, {"same!": VALUE, "other!": VALUE, "onto_rest": VALUE, "share": NUMBER}),
            "note": TEXT,
        }
    },
    "protocol!": {
        "duration!": VALUE,
        "dt!": VALUE,
        "step": {
            "*": {"target!": TEXT, "start!": VALUE, "length": VALUE, "factor": NUMBER, "share": NUMBER, "wipe": ListOf(TEXT), "note": TEXT}
        },
    },
    "record!": {"every!": VALUE},
    "expose": {"*": TEXT},
    "agree!": {"protocol!": OneOf("stationary rates"), "quantity!": TEXT, "set": {"*": TEXT}, "bound!": EQUATION, "valid!": TEXT},
}

KINDS = {"mechanism": MECHANISM, "network": NETWORK, "circuit": CIRCUIT}

# what an equation may contain besides the names the card declares
FUNCTIONS = {"exp", "log", "sqrt", "tanh", "relu", "step", "clip", "mean", "rand", "abs", "siegert", "density", "above"}
AMBIENT = {"xi", "dt", "t", "window", "I", "I_in", "h", "u", "drive", "mu"}
