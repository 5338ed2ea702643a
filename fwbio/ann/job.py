"""``fwbio train``: from the words on the command line to a folder with weights and log, or to an interrupted one that goes on."""

from dataclasses import asdict
from pathlib import Path

from fwbio import results
from fwbio.ann import cells
from fwbio.ann.recipe import Recipe
from fwbio.quantities import quantity, whole

SHIPPED_NOISE, SHIPPED_ACTIVITY = "100", "0.003"
TRAIN_SIZE = {"retrieval": 100_000, "reassigned": 100_000, "digits": 20_000}


def carry_out(options, say, *, task, model, units, epochs, patience, lr, seed, noise_neurons, activity, train_size, compiled, out, force):
    """Trains what the command line says; returns the folder. Raises BadInput before anything is computed."""
    noisy = noise_neurons if noise_neurons is not None else SHIPPED_NOISE if model == "fast_weights" else "0"
    cost = activity if activity is not None else SHIPPED_ACTIVITY if noisy != "0" else "0"
    recipe = Recipe(
        task=task,
        model=cells.named(model),
        units=whole(units, "--units"),
        options=cells.options(model, options),
        epochs=whole(epochs, "--epochs"),
        patience=whole(patience, "--patience"),
        lr=quantity(lr, "1", "--lr", low=1e-8, high=1),
        seed=whole(seed, "--seed", low=0),
        noise_neurons=float(whole(noisy, "--noise-neurons", low=0)),
        activity=quantity(cost, "1", "--activity", low=0),
        train_size=whole(train_size or TRAIN_SIZE[task], "--train-size"),
        compiled=compiled,
    )
    from fwbio.ann import checkpoint
    from fwbio.ann.training import train

    folder = unfinished(recipe, out, force) or results.claim(out, f"train-{task}", force)
    if force and checkpoint.read(folder) is not None:
        checkpoint.remove(folder)
    say(f"{model}, {recipe.units} units, seed {recipe.seed}, in {folder}; interrupted, the same line goes on")
    train(recipe, folder, say)
    say(f"wrote {folder}/weights.npz and log.jsonl")
    return folder


def unfinished(recipe, out, force) -> Path | None:
    """The folder of an interrupted training of the same recipe: ``out``, or the newest of the default ones.

    Raises BadInput if ``out`` holds an unfinished training of another recipe.
    """
    from fwbio.ann import checkpoint

    if force:
        return None
    folders = [Path(out)] if out is not None else sorted(Path("results").glob(f"train-{recipe.task}-*"), reverse=True)
    for folder in folders:
        if (saved := checkpoint.read(folder)) is None:
            continue
        if out is not None:
            checkpoint.check(saved, recipe, folder)
        if saved["recipe"] == asdict(recipe):
            return folder
    return None
