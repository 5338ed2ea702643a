"""Cards: every shipped one is complete and readable, and nothing but a card that makes sense is read."""

import re

import pytest

from fwbio.cards import changes, equations, network, new, reader
from fwbio.cards.check import check
from fwbio.cards.show import show
from fwbio.errors import BadInput

CARDS = sorted(reader.shipped())
NETWORKS = network.networks()


def text_of(name) -> str:
    return reader.shipped()[name].read_text(encoding="utf-8")


@pytest.fixture
def own(tmp_path):
    """Writes a copy of a shipped card with one piece of text replaced, or of given bytes; returns its path."""

    def write(card="random_recurrent", old="", new="", content=None):
        if content is None:
            assert old in text_of(card)
            content = text_of(card).replace(old, new, 1)
        path = tmp_path / "own.toml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refused(function, *args, **options) -> str:
    with pytest.raises(BadInput) as fault:
        function(*args, **options)
    return str(fault.value)


# --- every shipped card ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CARDS)
def test_a_shipped_card_is_read_and_checked(name):
    assert reader.read(name)["name"] == name
    assert "fine" in "\n".join(check(name))


@pytest.mark.parametrize("name", CARDS)
def test_a_shipped_card_is_short(name):
    assert len(text_of(name).splitlines()) <= 70


def leaves(table) -> list[str]:
    """Every text and number in a table."""
    if isinstance(table, dict):
        return [leaf for value in table.values() for leaf in leaves(value)]
    if isinstance(table, list):
        return [leaf for value in table for leaf in leaves(value)]
    return [str(table)]


@pytest.mark.parametrize("name", CARDS)
def test_show_prints_every_doi_and_every_parameter(name):
    card, shown = reader.read(name), show(name)
    words = shown.split()
    assert all(f"doi:{source['doi']}" in words for source in card["sources"])
    flat = " ".join(words)
    if card["kind"] == "mechanism":
        for key, param in card.get("param", {}).items():
            assert re.search(rf"^  {key} +{re.escape(param['value'])} ", shown, re.MULTILINE) and f"[{param['source']}]" in flat
        wanted = [leaf for block in ("needs", "state", "spiking", "rate", "counts", "agree") for leaf in leaves(card.get(block, {}))]
    else:
        blocks = ("clock", "population", "projection", "rnn", "protocol", "record", "readout", "expose")
        wanted = [leaf for block in blocks for leaf in leaves(card.get(block, {}))]
        wanted = [leaf for leaf in wanted if leaf not in ("inner", "last", "1")]  # said in words: which phases, how many
        used = {mechanism for mechanism in wanted if mechanism in CARDS}
        assert used and all(f"doi:{source['doi']}" in words for mechanism in used for source in reader.read(mechanism)["sources"])
    assert [leaf for leaf in wanted if " ".join(leaf.split()) not in flat] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_every_exposed_name_can_be_set_to_its_own_value(name):
    card = reader.read(name)
    told = {short: place[key] for short, full in card["expose"].items() for place, key in [changes.place(card, full)]}
    assert network.load(name, set=told).card == card


def test_models_holds_cards_and_weights_but_no_program():
    found = {path.suffix for path in reader.folder().iterdir() if path.is_file()}
    assert found == {".toml", ".npz", ".jsonl"}


@pytest.mark.parametrize("name", CARDS)
def test_a_new_card_is_the_shipped_one_under_its_own_name(name, tmp_path):
    files = new.copy(name, "mine", tmp_path)
    assert sorted(files) == sorted(tmp_path.iterdir()) and tmp_path / "mine.toml" in files
    assert reader.read(tmp_path / "mine.toml") == {**reader.read(name), "name": "mine"}
    assert "fine" in "\n".join(check(tmp_path / "mine.toml"))
    assert "exists" in refused(new.copy, name, "mine", tmp_path)


@pytest.mark.parametrize("name", ["../mine", "a b", "", "1a", "a;b", "a\nb", "ü", "m" * 300])
def test_a_new_card_needs_a_plain_name_and_leaves_nothing_otherwise(name, tmp_path):
    refused(new.copy, "retrieval", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_without_its_weights_leaves_nothing(own, tmp_path):
    (here := tmp_path / "here").mkdir()
    assert "retrieval.npz" in refused(new.copy, own("retrieval"), "mine", here)
    assert list(here.iterdir()) == []


# --- the file --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")], ids=["BOM", "CRLF"])
def test_byte_order_mark_and_windows_line_ends_do_not_matter(own, change):
    path = own(content=change(text_of("retrieval").encode()))
    assert reader.read(path) == reader.read("retrieval")


@pytest.mark.parametrize(
    "content, says",
    [
        ("kind = ", "not TOML: Invalid value (at "),
        ('kind = "network"\nname = 1 2\n', "not TOML: Expected newline or end of document after a statement (at line 2, column 10)"),
        ('kind = "network"\nkind = "network"\n', "not TOML: Cannot overwrite a value (at line 2"),
        ("title = 'Hälfte'".encode("latin-1"), "not UTF-8 text (invalid continuation byte at byte 10"),
        ("kind".encode("utf-16"), "not UTF-8 text"),
        (b"\x00\x01", "not TOML"),
        ("#" * 1_000_001, "1000001 bytes; a card has at most 1000000"),
        ("a = " + "[" * 5000 + "]" * 5000, "not TOML"),
        ("a = " + "[" * 100 + "]" * 100, "nested more than"),
        ("a" + ".a" * 500 + " = 1", "nested more than"),
        ("a = " + "9" * 5000, "not TOML"),
        ("a = 0x" + "f" * 9000, "a whole number of 36000 bits"),
        ("", "kind = None; use 'mechanism', 'network' or 'circuit'"),
        ("kind = ['network']", "kind = ['network']; use"),
    ],
    ids=lambda v: repr(v)[:24],
)
def test_a_file_that_is_no_card_is_refused(own, content, says):
    path = own(content=content)
    message = refused(reader.read, path)
    assert message.startswith(str(path)) and says in message and "\n" not in message


@pytest.mark.parametrize(
    "path", ["none.toml", "../retrieval", "/etc", "/proc/self/mem", "x" * 300 + ".toml", "a\nb/c", "models/../nothing"]
)
def test_a_path_that_leads_to_no_card_is_refused(path):
    assert path in refused(reader.read, path)


def test_an_unknown_card_gets_the_nearest_name():
    assert "did you mean 'retrieval'?" in refused(reader.read, "retreival")


# --- the keys and their values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "card, old, new, says",
    [
        ("random_recurrent", "neurons  =", "nuerons  =", "unknown key 'population.unit.nuerons'; did you mean 'neurons'?"),
        ("random_recurrent", "[protocol]", "[protocoll]", "unknown key 'protocoll'; did you mean 'protocol'?"),
        (
            "random_recurrent",
            "bind    = {tau =",
            "bind    = {tua =",
            "projection.fast.bind.tua: hebbian has no such parameter; did you mean 'tau'?",
        ),
        (
            "random_recurrent",
            "{tau_h =",
            "{tau_hh =",
            "population.unit.bind.tau_hh: no mechanism of this population has it; did you mean 'tau_h'?",
        ),
        ("random_recurrent", '"projection.fast.eta"', '"projection.fast.etta"', "expose.fast.eta = 'projection.fast.etta': no such value"),
        ("random_recurrent", "trials   = 6", "", "[protocol] lacks 'trials'"),
        ("random_recurrent", "trials   = 6", 'trials = "6"', "write a whole number"),
        ("random_recurrent", "trials   = 6", "trials = true", "write a whole number"),
        ("random_recurrent", "trials   = 6", "trials = -6", "finite and not negative"),
        ("random_recurrent", "sd    = 1.0", "sd = nan", "finite"),
        ("random_recurrent", "sd    = 1.0", "sd = 1e999", "finite"),
        ("random_recurrent", "sd    = 1.0", "", "[input] lacks 'sd'"),
        ("random_recurrent", '"50 Hz"', "50", "population.unit.r0 = 50: write a quantity in quotes"),
        ("random_recurrent", '"50 Hz"', '"50"', "population.unit.r0 = '50': needs a unit"),
        ("random_recurrent", '"50 Hz"', '"50 ms"', "population.unit.r0 = '50 ms': wrong unit"),
        ("random_recurrent", '"50 Hz"', '"-50 Hz"', "outside 0.001 to 10000 Hz"),
        ("random_recurrent", '{tau_h = "10 ms"}', '{tau_h = "-10 ms"}', "tau_h = '-10 ms': outside 0 to inf s"),
        ("random_recurrent", '{tau_h = "10 ms"}', '{tau_h = "0 ms"}', "tau_h = '0 ms': current divides by it"),
        ("random_recurrent", 'tau = "2 s"', 'tau = "0 s"', "tau = '0 s': hebbian divides by it"),
        ("random_recurrent", 'reset    = "trial"', 'reset = "nevr"', "did you mean 'never'"),
        ("random_recurrent", 'name  = "random', 'name = "../../random', "a name has letters"),
        ("random_recurrent", 'to      = "unit"', 'to = "units"', "no such population; did you mean 'unit'?"),
        ("random_recurrent", '"0.1 ms"', '"0.3 ms"', "not a multiple of the time step"),
        ("retrieval", '"trained.W"', '"trained.w"', "projection.slow.weight = 'trained.w': no such trained array"),
        ("retrieval", '"trained.E"', '"trained.Q"', "input.tokens = 'trained.Q': no such trained array"),
        ("retrieval", '"trained.c2"', '"trained.c3"', "readout.layers = 'trained.c3': no such trained array; did you mean 'trained.c2'?"),
        ("retrieval", 'W          = "projection.slow"', 'W = "projection.slwo"', "rnn.W = 'projection.slwo': no such thing"),
        ("retrieval", 'synapse = "hebbian"', 'synapse = "hebbian"\nset = "Erikson_fast"', "no such set; did you mean 'Erickson_fast'?"),
        ("retrieval", 'task   = "retrieval"', 'task = "retrieval"\nwipe = {what = "u", before = 8}', "protocol.wipe.what = 'u': use 'h'"),
        ("retrieval", 'task   = "retrieval"', 'task = "retrieval"\nwipe = {what = "A", before = 0}', "protocol.wipe.before = 0"),
        ("random_recurrent", 'dt       = "0.1 ms"', 'wipe = {what = "A", before = 1}', "a free-running network has no tokens"),
        ("retrieval", ', eps = "1e-5"', "", "bind lacks 'eps', which layer_norm needs"),
        ("retrieval", "size     = 50", "size = 49", "49"),
        ("retrieval", "pairs  = 4", "", "[protocol] lacks 'pairs'"),
        ("retrieval", '"100 ms"', '"4 ms"', "use a longer clock.token"),
        ("retrieval", '"retrieval.npz"', '"../retrieval.npz"', "write a plain file name"),
        ("retrieval", '"retrieval.npz"', '"/etc/passwd"', "write a plain file name"),
    ],
)
def test_a_fault_in_a_network_card_is_named(own, tmp_path, card, old, new, says):
    path = own(card, old, new)
    (tmp_path / "retrieval.npz").write_bytes((reader.folder() / "retrieval.npz").read_bytes())
    assert says in refused(network.load, path)


@pytest.mark.parametrize(
    "card, old, new, says",
    [
        ("hebbian", 'source = "Ba2016"', 'source = "Ba2017"', "param.eta.source = 'Ba2017': not among the sources; did you mean 'Ba2016'?"),
        ("hebbian", '"1.6 min"', '"200 msec2"', "param.tau.value = '200 msec2': unknown unit"),
        ("hebbian", 'r0         = {unit = "Hz"', 'r0 = {unit = "Herz"', "needs.r0.unit = 'Herz': unknown unit"),
        ("hebbian", '["post", "pre"]', '["post", "per"]', "use 'pre' or 'post' or 'cell'"),
        ("hebbian", '"synapse"', '"synapsis"', "did you mean 'synapse'?"),
        ("hebbian", "doi = ", "DOI = ", "unknown key 'sources[0].DOI'; did you mean 'doi'?"),
        ("hebbian", "dA/dt = -A/tau", "dA/dt = -A/tua", "'tua' is not declared in this card; did you mean 'tau'?"),
        ("hebbian", 'start = "0"', 'start = "open(0)"', "unknown function 'open'"),
        ("hebbian", 'eta = "0.25"}', 'etta = "0.25"}', "this card has no such parameter; did you mean 'eta'?"),
        ("hebbian", 'eta  = "eta"', 'eta = "etta"', "rnn.eta = 'etta': this card has no such parameter"),
        ("poisson", "rand() < r0", "rnd() < r0", "unknown function 'rnd'; did you mean 'rand'?"),
        ("lif", "V > V_th", "V > V_ht", "'V_ht' is not declared in this card"),
    ],
)
def test_a_fault_in_a_mechanism_card_is_named(own, card, old, new, says):
    assert says in refused(reader.read, own(card, old, new))


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('"poisson"', '"hebbian"', "'hebbian' is not a neuron card; neuron cards are "),
        ('"poisson"', '"random_recurrent"', "'random_recurrent' is not a neuron card"),
        ('"current"', '"lif"', "'lif' is not a dendrite card; dendrite cards are current"),
        ('synapse = "hebbian"', 'synapse = "poisson"', "'poisson' is not a synapse card; synapse cards are hebbian"),
        ('"poisson"', '"posson"', "did you mean 'poisson'?"),
        ('"poisson"', '"../poisson"', "no such file"),
    ],
)
def test_a_mechanism_in_the_wrong_role_is_refused(own, old, new, says):
    assert says in refused(network.load, own(old=old, new=new))


def test_a_mechanism_is_not_a_network():
    assert (
        "hebbian.toml is a synapse card: a part of networks, for `fwbio show` (and fwbio.synapses); networks and circuits are level_bank"
        in refused(network.load, "hebbian")
    )


# --- the equations ---------------------------------------------------------------------------------------------------

HOSTILE = [
    *("__import__('os')", "eval(A)", "open(A)", "exp(A)(A)", "A.real", "os.system", "A.b.c()", "'text'", "f'{A}'", "b'A'", "lambda: A"),
    *(
        "A; tau",
        "A\n+ tau",
        "(A\n+ tau)",
        "A\\\n+ tau",
        "A\ttau",
        "A # tau",
        "A[0]",
        "[A]",
        "{A}",
        "(A, tau)",
        "A if A else tau",
        "A and tau",
    ),
    *("A == tau", "(A := tau)", "exp(*A)", "exp(x=A)", "A @ tau", "~A", "not A", "None", "True", "...", "1j", "1e999", "tаu", "A\x00", ""),
    *(
        "dA/dt = A : 1; x",
        "dA/dt = A = tau",
        "dB/dt = A",
        "A" + ".b" * 400 + "()",
        "(" * 500 + "A" + ")" * 500,
        "-" * 5000 + "A",
        "A" + "+A" * 9999,
    ),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_only_arithmetic_over_declared_names_is_an_equation(text):
    assert refused(equations.check, text, {"A", "tau"}, "own.toml: rate.read").startswith("own.toml: rate.read = ")


@pytest.mark.parametrize(
    "text", ["dA/dt = -A/tau : 1", "A += exp(-A/tau)", "I_post = A*h_pre : Hz (summed)", "A > tau", "A**2 + 1e-3*rand()"]
)
def test_what_cards_say_is_an_equation(text):
    equations.check(text, {"A", "tau"}, "own.toml: rate.read")


@pytest.mark.parametrize("text", HOSTILE + ["tanh(v)", "h = relu(u)", "relu(u) : 1\nx = 1 : 1"], ids=lambda text: ascii(text[:20]))
def test_phi_is_checked_like_every_equation_also_when_set(text):
    assert "phi" in refused(network.load, "random_recurrent", set={"population.unit.phi": text})


# --- overrides -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fast.tau", "projection.fast.tau", "projection.fast.bind.tau"])
def test_a_parameter_is_changed_by_its_short_or_full_name(name):
    changed, plain = network.load("retrieval", set={name: "5s"}), network.load("retrieval")
    assert changed.tau == 5.0 != plain.tau
    assert {**changed.card, "projection": None} == {**plain.card, "projection": None}


def test_numbers_and_neurons_are_changed_too():
    changed = network.load("random_recurrent", set={"input.sd": "0.5", "neurons": "7", "r0": "0.02 kHz"})
    assert (changed.card["input"]["sd"], changed.neurons, changed.r0) == (0.5, 7, 20.0)
    assert network.load("random_recurrent", neurons="9", neuron="lif").neuron.name == "lif"


NO_PARAMETERS = [
    *("name", "kind", "title", "sources", "population", "population.unit", "population.unit.bind", "expose.r0", "trained.sha256"),
    *("fast", "fast.taus", "projection.fast.tau.x", "protocol.trials.x", "protocol.nothing", "", ".", "a..b", "projection.__class__"),
]


@pytest.mark.parametrize("name", NO_PARAMETERS)
def test_what_is_no_parameter_cannot_be_changed(name):
    assert f"'{name}' is not a parameter of this card" in refused(network.load, "retrieval", set={name: "1"})


def test_the_nearest_parameter_is_suggested():
    assert "did you mean 'fast.tau'?" in refused(network.load, "retrieval", set={"fast.tua": "5 s"})


@pytest.mark.parametrize(
    "name, value, says",
    [
        ("fast.tau", "5", "projection.fast.tau = '5': needs a unit; write for instance 2 s"),
        ("fast.tau", "", "projection.fast.bind.tau = ''"),
        ("fast.tau", "-5 s", "outside 0 to inf s"),
        ("fast.tau", "0.1 ms", "nothing is left to read"),
        ("fast.eta", "nan", "projection.fast.eta = 'nan'"),
        ("token", "1e999 s", "clock.token = '1e999 s': not finite"),
        ("neurons", "2.5", "population.unit.neurons = '2.5': use a whole number"),
        ("neurons", "0", "population.unit.neurons = 0: use a whole number"),
        ("rnn.reads", "prevoius", "did you mean 'previous'?"),
        ("rnn.norm_first", "maybe", "write true or false"),
    ],
)
def test_a_changed_value_is_checked_like_a_written_one(name, value, says):
    assert says in refused(network.load, "retrieval", set={name: value})


def test_a_network_says_how_often_h_is_kept():
    from fwbio.cards.network import build

    path = reader.find("random_recurrent")
    tables = reader.read(path)
    assert build(tables, path).sample == pytest.approx(max(build(tables, path).dt, 1e-3))
    tables["record"]["every"] = "20 ms"
    assert build(tables, path).sample == pytest.approx(0.02)
    tables["record"]["every"] = "20.0313 ms"
    with pytest.raises(BadInput, match="record.every = 20.0313 ms is not a multiple"):
        build(tables, path)
    paced = reader.find("retrieval")
    tables = reader.read(paced)
    tables["record"]["every"] = "20 ms"
    with pytest.raises(BadInput, match="recorded once a phase"):
        build(tables, paced)
