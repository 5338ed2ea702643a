"""The command line. Everything heavy is imported inside the commands, so that ``--help`` answers at once."""

import signal
import sys

import click

from fwbio.errors import BadInput, EnvironmentProblem

SHARED = [
    click.option("--trials", metavar="T", help="Number of trials [default: the card's, 100]."),
    click.option("--neurons", metavar="N", help="Spiking neurons a unit [default: the card's]."),
    click.option("--neuron", metavar="CARD", help="Neuron card: poisson or lif [default: the card's]."),
    click.option("--seed", metavar="S", default="0", show_default=True, help="Seed of trials and spikes."),
    click.option("--set", "changes", metavar="NAME=VALUE", multiple=True, help="Change a parameter, for instance fast.tau=5s."),
    click.option("--no-fast", is_flag=True, help="Switch the fast weights off in every description."),
    click.option("--plain", is_flag=True, help="Spikes without the exact reductions: every synapse by itself (small networks)."),
    click.option("--out", metavar="DIR", help="Results folder [default: results/CARD-DATE-TIME]."),
    click.option("--force", is_flag=True, help="Replace a results folder that is not empty."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),
]


def shared(command):
    for option in reversed(SHARED):
        command = option(command)
    return command


class Commands(click.Group):
    """Ends every command with one clear message and the right exit code."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except BadInput as error:
            fail(error, 2)
        except EnvironmentProblem as error:
            fail(error, 3)
        except ImportError as error:
            fail(explain_import(error), 3)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done: another one would only kill the goodbye
            fail("interrupted; nothing half-written was left", 130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except MemoryError:
            fail("not enough memory; use fewer --trials or --neurons", 3)
        except OSError as error:
            fail(f"{error}; nothing half-written was left", 3)


def fail(message, code):
    click.echo(f"fwbio: {message}", err=True)
    sys.exit(code)


def explain_import(error) -> str:
    extra = {"torch": "PyTorch", "safetensors": "safetensors", "sklearn": "scikit-learn"}.get((error.name or "").split(".")[0])
    if extra:
        return f"this needs {extra}, an extra: in the folder of fwbio, pip install '.[ann]'"
    return f"{error}; a package is missing or does not fit (on Python 3.11 Brian2 needs: pip install 'numpy<2.4')"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fwbio")
def main():
    """Short-term synaptic plasticity as fast weights: one model card, seen as a discrete RNN, as rate equations and as spikes.

    Start with: fwbio compare retrieval
    """


@main.command()
def models():
    """List the cards that ship with fwbio."""
    from fwbio.cards import reader

    for name in reader.shipped():
        card = reader.read(name)
        click.echo(f"{name:18} {card.get('role', card['kind']):14} {card['title']}")


@main.command()
@click.argument("card")
def show(card):
    """Print CARD as tables (after Nordlie et al. 2009) with its references."""
    from fwbio.cards.show import show as tables

    click.echo(tables(card))


@main.command()
@click.argument("card")
@click.option("--neurons", metavar="N", help="Spiking neurons a unit.")
@click.option("--neuron", metavar="CARD", help="Neuron card.")
@click.option("--set", "changes", metavar="NAME=VALUE", multiple=True, help="Change a parameter first.")
def check(card, neurons, neuron, changes):
    """Check CARD without compiling anything, and say what a run would cost."""
    from fwbio.cards.check import check as lines

    options = {} if not (neurons or neuron or changes) else {"neurons": neurons, "neuron": neuron, "set": assignments(changes)}
    click.echo("\n".join(lines(card, **options)))


@main.command()
@click.argument("name")
@click.option("--from", "card", default="retrieval", show_default=True, help="The shipped card to copy.")
def new(name, card):
    """Start a card of your own, NAME.toml here, as a copy of a shipped one (with its weights)."""
    from fwbio.cards.new import copy

    for path in copy(card, name):
        click.echo(f"wrote {path}")


@main.command()
@click.argument("card")
@click.option("--level", type=click.Choice(["rnn", "rate", "spiking"]), default="spiking", show_default=True, help="Which description.")
@shared
def run(card, level, as_json, **options):
    """Run one description of CARD."""
    result = job_of(card)(card, [level], changes=assignments(options.pop("changes")), quiet=as_json, **options)
    echo(result, as_json)


@main.command()
@click.argument("card")
@click.option("--strict", is_flag=True, help="Exit with 1 unless the verdict is 'equivalent'.")
@click.option("--target-error", metavar="E", help="Choose the neurons a unit so that the predicted error of h is E, for instance 5%.")
@click.option(
    "--target-agreement",
    metavar="A",
    help="Choose neurons a unit, r0 and token for this share of the RNN's decisions, for instance 99%: the shortest token within 10 % of the fewest spikes.",
)
@click.option(
    "--budget/--no-budget",
    default=None,
    help="Split the error of h into bias, variance and integration: 25 trials run again, also at half the time step (one more build) "
    "[default: yes, but not for circuits, nor for sequences in a row].",
)
@click.option("--inputs", metavar="FILE.npz", help="Trials of your own in place of the card's: tokens (or x), and target if there is one.")
@click.option("--ann", metavar="FILE.npz", help="What your ANN made of them: logits, h or both; they are set beside the three.")
@click.option("--resample", is_flag=True, help="The ANN has several steps a token: take the last of each.")
@shared
def compare(card, strict, as_json, inputs, ann, resample, **options):
    """Run CARD as RNN, as rate equations and as spikes on the same trials, and say how far they agree."""
    if ann is not None and inputs is None:
        raise BadInput("--ann: also give --inputs, the trials that your ANN was asked")
    own = {"inputs": inputs, "ann": ann, "resample": resample} if inputs is not None else {}
    result = job_of(card)(card, None, changes=assignments(options.pop("changes")), quiet=as_json, **own, **options)
    echo(result, as_json)
    if strict and result.verdict != "equivalent":
        sys.exit(1)


@main.command()
@click.argument("claims", nargs=-1)
@click.option("--full", is_flag=True, help="At full size (under 45 minutes on two cores; otherwise under 5).")
@click.option("--out", metavar="DIR", help="Keep findings and figures in this folder.")
@click.option("--force", is_flag=True, help="Replace a results folder that is not empty.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def verify(claims, full, out, force, as_json):
    """Measure what fwbio asserts (all CLAIMS, or those you name) and print figure, bound and verdict of each."""
    import json

    from fwbio import results
    from fwbio import verify as job
    from fwbio.progress import Progress

    folder = None if out is None else results.claim(out, "verify", force)
    found = job.verify(claims, full, None if as_json else click.echo, Progress("verify"))
    if folder is not None:
        job.save(folder, found, full)
    if as_json:
        click.echo(json.dumps(job.as_json(found), indent=1))
    verdicts = [finding.verdict for findings in found.values() for finding in findings]
    if not as_json:
        click.echo(f"{len(verdicts)} findings: " + ", ".join(f"{verdicts.count(v)} {v}" for v in ("holds", "fails", "inconclusive")))
    sys.exit(1 if "fails" in verdicts else 0)


SWEEP = [
    click.option("--workers", metavar="N", help="Points at a time [default: the number of cores]."),
    click.option("--dask", metavar="ADDRESS", help="Compute on this Dask scheduler; local: two workers here (pip install 'fwbio[sweep]')."),
    click.option("--limit", metavar="TIME", help="How long a point may take, for instance 5min [default: ten times the median]."),
    click.option("--fail-fast", is_flag=True, help="Stop at the first point that fails."),
    click.option("--force-new", is_flag=True, help="Set aside points that were computed with another card, code or versions."),
    click.option("--format", "form", type=click.Choice(["csv", "netcdf"]), default="csv", show_default=True, help="Also write table.nc."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else."),
]


def sweeping(command):
    for option in reversed(SWEEP):
        command = option(command)
    return command


@main.command()
@click.argument("card")
@click.option("--over", multiple=True, metavar="AXIS", help="NAME=FROM:TO:log:N, NAME=FROM:TO:lin:N or NAME=A,B,C; several make a grid.")
@click.option("--zip", multiple=True, metavar="A,B", help="These axes move together.")
@click.option("--seeds", metavar="N", default="1", show_default=True, help="Replicates of each point, each with a seed of its own.")
@click.option("--measure", "measures", metavar="A,B", help="Figures to keep, for instance accuracy,hidden_rmse [default: all].")
@click.option("--levels", metavar="A,B", help="Descriptions to run [default: spiking and the cheapest beside it].")
@click.option("--target", type=click.Choice(["cpp_standalone", "cython", "numpy"]), help="How Brian2 runs [default: C++ if it can].")
@click.option("--trials", metavar="T", help="Trials a point [default: the card's].")
@click.option("--neurons", metavar="N", help="Spiking neurons a unit [default: the card's].")
@click.option("--neuron", metavar="CARD", help="Neuron card: poisson or lif [default: the card's].")
@click.option("--seed", metavar="S", default="0", show_default=True, help="Root of all seeds.")
@click.option("--set", "changes", metavar="NAME=VALUE", multiple=True, help="Change a parameter at every point.")
@click.option("--no-fast", is_flag=True, help="Switch the fast weights off.")
@click.option("--plain", is_flag=True, help="Spikes without the exact reductions.")
@click.option("--pack", is_flag=True, help="Small points side by side in one network; --plan says whether that pays.")
@click.option("--out", metavar="DIR", help="Folder of the sweep; one that is there is taken up [default: results/sweep-CARD].")
@click.option("--plan", "only_plan", is_flag=True, help="Print points, builds, memory, disk and time; run nothing.")
@click.option("--yes", is_flag=True, help="More than a million points are meant.")
@sweeping
def sweep(card, only_plan, changes, no_fast, form, as_json, out, workers, **options):
    """Run CARD over a grid of parameters; stop it whenever you like, and go on with the same line or `fwbio resume`."""
    import json

    from fwbio.sweeps import job

    options |= {"set": assignments(changes), "fast": not no_fast, "out": out, "workers": workers}
    if only_plan:
        for name in ("dask", "limit", "fail_fast", "force_new", "yes"):
            options.pop(name)
        found = job.planned(card, **options)
        click.echo(json.dumps(vars(found), indent=1) if as_json else str(found))
        return
    tell(job.sweep(card, quiet=as_json, **options), form, as_json)


@main.command()
@click.argument("folder", metavar="DIR")
@click.option("--retry", is_flag=True, help="Try again also what failed.")
@sweeping
def resume(folder, form, as_json, **options):
    """Compute what is missing in the sweep in DIR, after whatever ended it."""
    from fwbio.sweeps import job

    tell(job.resume(folder, quiet=as_json, **options), form, as_json)


@main.command()
@click.option("--from", "youngest", required=True, metavar="TIME", help="Youngest age that is asked for, for instance 100ms.")
@click.option("--to", "oldest", required=True, metavar="TIME", help="Oldest age that is asked for, for instance 5min.")
@click.option("--objective", default="guarantee", show_default=True, help="guarantee (ages unknown), recall (by demand) or lifetime.")
@click.option(
    "--price", metavar="C", default="0.1", show_default=True, help="Of one more level, in synapses: 0 free, 1 as dear as a synapse."
)
@click.option("--fan-in", "N", metavar="N", default="1000", show_default=True, help="Synapses of a read-out unit (recall, lifetime).")
@click.option("--rate", "r", metavar="R", default="1 Hz", show_default=True, help="Associations written a second (recall, lifetime).")
@click.option(
    "--states",
    metavar="P",
    help="Values that all levels of a synapse have together (guarantee; a search of minutes) [default: real numbers].",
)
@click.option("--out", metavar="FILE.png", help="Draw what is remembered at each age.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def levels(youngest, oldest, objective, price, states, out, as_json, **options):
    """How many levels of memory pay for ages --from … --to, which time constants, and why not one more."""
    import json
    from pathlib import Path

    from fwbio.levels.demand import AgeDemand
    from fwbio.levels.plan import OBJECTIVES, plan_levels
    from fwbio.levels.report import figure, short
    from fwbio.quantities import quantity

    if out is not None and (Path(out).suffix != ".png" or not Path(out).absolute().parent.is_dir()):
        raise BadInput(f"--out {out}: name a .png file in a folder that is there")
    demand = AgeDemand(youngest, oldest)
    plan = plan_levels(demand, objective, price, **options, states=states, say=None if as_json else lambda text: click.echo(text, err=True))
    others = [plan_levels(demand, other, price, **options) for other in OBJECTIVES if other != objective]
    if out is not None:
        figure(plan, demand, quantity(options["r"], "Hz", "--rate")).savefig(out, dpi=150)
    if as_json:
        told = {"m": plan.m, "tau_s": plan.bank.tau.tolist(), "gain": plan.bank.gain.tolist(), plan.objective: plan.gross[plan.m - 1]}
        if states is not None:
            told |= {"kind": plan.shapes[plan.m - 1].kind, "n": plan.shapes[plan.m - 1].n}
        told |= {"values": plan.values, "marginal_gains": plan.marginal_gains, "certificate": plan.certificate}
        told["others"] = {p.objective: {"m": p.m, "tau_s": p.bank.tau.tolist(), "value": p.value} for p in others}
        click.echo(json.dumps({"objective": objective, "price": plan.price, **told}, indent=1))
        return
    click.echo("\n".join([str(plan), "beside it:", *map(short, others)]))
    if out is not None:
        click.echo(f"wrote {out}")


@main.command()
@click.option("--clean", is_flag=True, help="Empty the cache of compiled networks; they are built again when they are needed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def doctor(clean, as_json):
    """Say what this machine has, what does not fit together, and what to type; exit code 3 if something is broken."""
    from fwbio import doctor as what

    if clean:
        removed, megabytes, busy = what.clean()
        left = f"; {busy} are being built now and were left" if busy else ""
        click.echo(f"removed {removed} networks, {megabytes:,.0f} MB{left}", err=as_json)
    findings = what.examine()
    click.echo(what.told(findings, as_json))
    sys.exit(3 if any(finding.ok is False for finding in findings) else 0)


def tell(table, form, as_json):
    """Writes the labelled file if one is wanted, says what is there, exits with 1 if points failed."""
    import json

    if form == "netcdf":
        table.xarray().to_netcdf(table.folder / "table.nc", engine="h5netcdf")
    counts = table.counts()
    if as_json:
        reasons = [{**table.rows[k], "reason": reason} for k, reason in table.reasons.items()]
        click.echo(json.dumps({**counts, "folder": str(table.folder), "failures": reasons}, indent=1))
    else:
        said = ", ".join(f"{n:,} {word}" for word, n in counts.items() if n)
        click.echo(f"{said}; table.csv and figures in {table.folder}")
        for k, reason in list(table.reasons.items())[:5]:
            click.echo(f"  failed: {', '.join(f'{a}={v}' for a, v in table.rows[k].items())}: {reason.splitlines()[0]}")
    sys.exit(1 if counts["failed"] else 0)


@main.command()
@click.argument("task", type=click.Choice(["retrieval", "reassigned", "digits"]))
@click.option(
    "--model",
    default="fast_weights",
    show_default=True,
    help="irnn, lstm, associative_lstm, fast_weights, delta_rule, labile, short_term_plasticity or a control.",
)
@click.option("--units", metavar="R", default="50", show_default=True, help="Hidden units.")
@click.option("--with", "cell", metavar="NAME=VALUE", multiple=True, help="An option of the model, for instance lam=0.95.")
@click.option("--epochs", metavar="E", default="30", show_default=True, help="Passes over the training sequences, at most.")
@click.option("--patience", metavar="P", default="1000", show_default=True, help="Stop when P epochs brought nothing.")
@click.option("--lr", metavar="L", default="0.002", show_default=True, help="Highest learning rate; it falls as a cosine.")
@click.option("--seed", metavar="S", default="1", show_default=True, help="Seed of splits, weights and noise.")
@click.option(
    "--noise-neurons", metavar="N", help="Train with the spike noise of N neurons a unit [default: 100 for fast_weights, else 0]."
)
@click.option("--activity", metavar="C", help="Cost of the mean of h squared [default: 0.003 with spike noise, else 0].")
@click.option("--train-size", metavar="M", help="Training sequences [default: 100000; digits 20000].")
@click.option("--compile/--no-compile", "compiled", default=True, help="Compile first: a minute, then three times faster (needs g++).")
@click.option("--out", metavar="DIR", help="Results folder [default: results/train-TASK-DATE-TIME].")
@click.option("--force", is_flag=True, help="Replace a results folder that is not empty.")
def train(**options):
    """Train a recurrent network on TASK (needs PyTorch: pip install 'fwbio[ann]'). Interrupted, the same line goes on with it."""
    from fwbio.ann.job import carry_out

    carry_out(assignments(options.pop("cell"), "--with"), lambda line: click.echo(line, err=True), **options)


@main.command("import")
@click.argument("file")
@click.option("--map", "map_file", metavar="MAP.toml", help="Where its parts stand and how it was trained. Without it a map is proposed.")
@click.option("--card", metavar="NEW.toml", help="The card to write; its weights go beside it.")
def import_(file, map_file, card):
    """Make a card of a fast-weight RNN trained elsewhere: FILE is .npz, .safetensors or .pt."""
    if map_file is None:
        from fwbio.outside import files
        from fwbio.outside.propose import propose

        click.echo(propose(files.read(file)), nl=False)
        click.echo("save this as MAP.toml, put it right, then: fwbio import FILE --map MAP.toml --card NEW.toml", err=True)
        return
    if card is None:
        raise BadInput("--card is missing: name the card to write, for instance --card mine.toml")
    from fwbio.outside.card import make

    for path in make(file, map_file, card):
        click.echo(f"wrote {path}")


def job_of(card):
    """What carries out a run of this kind of card."""
    from fwbio.cards import reader

    if reader.read(card)["kind"] == "circuit":
        from fwbio.circuit_job import carry_out
    else:
        from fwbio.job import carry_out
    return carry_out


def assignments(texts, option="--set") -> dict:
    """``fast.tau=5s`` as {"fast.tau": "5s"}."""
    for text in texts:
        if "=" not in text:
            raise BadInput(f"{option} {text}: write NAME=VALUE, for instance {option} {'fast.tau=5s' if option == '--set' else 'lam=0.95'}")
    return dict(text.split("=", 1) for text in texts)


def echo(result, as_json):
    import json

    click.echo(json.dumps(result.figures, indent=1) if as_json else str(result))
    if not as_json:
        click.echo(f"figures and arrays in {result.figures['folder']}")


if __name__ == "__main__":
    main()
