"""A fast-weight network as somebody else would have trained it: can fwbio take it over by a map alone?

It shares no code with ``fwbio.ann`` and differs wherever published implementations do: A as a matrix, read one step late; layer
normalisation with one gain a unit on h_0 and one number in the inner loop, epsilon 1e-12; no biases; matrices to be multiplied from the left;
digits before letters; read out straight into all 37 symbols. Writes results/outside_network/weights.npz, and outputs.npz: its own
logits and states (float64) for 1,000 test sequences. About 10 minutes on one core.

    python simulations/outside_network.py
"""

import json
import string
from pathlib import Path

import numpy as np
import torch

from fwbio.tasks import SYMBOLS, retrieval

OUT, R, EPOCHS, BATCH, LR = Path("results/outside_network"), 40, 16, 128, 2e-3
LAMBDA, ETA, EPS = 0.9, 0.5, 1e-12
ALPHABET = string.digits + string.ascii_lowercase + "?"
ORDER = torch.tensor([ALPHABET.index(symbol) for symbol in SYMBOLS])


def start() -> dict:
    torch.manual_seed(7)
    return {
        "embedding": torch.randn(37, 64),
        "kernel": torch.randn(64, R) / 8,
        "recurrent_kernel": 0.5 * torch.eye(R),
        "ln_outer/gamma": torch.ones(R),
        "ln_inner/gamma": torch.ones(()),
        "softmax/kernel": torch.randn(R, 37) / R**0.5,
    }


def normalise(v, gamma):
    centred = v - v.mean(1, keepdim=True)
    return gamma * centred / (centred.pow(2).mean(1, keepdim=True) + EPS).sqrt()


def forward(p, tokens):
    """Logits of all 37 symbols after the last token, and the states of every token."""
    drives = p["embedding"][tokens] @ p["kernel"]
    h = torch.zeros_like(drives[:, 0])
    visible = fresh = torch.zeros(len(h), R, R, dtype=h.dtype)  # visible : all but the newest write
    states = []
    for t in range(tokens.shape[1]):
        slow = h @ p["recurrent_kernel"] + drives[:, t]
        h = torch.relu(normalise(slow, p["ln_outer/gamma"]))
        h = torch.relu(normalise(slow + torch.einsum("bij,bj->bi", visible, h), p["ln_inner/gamma"]))
        visible, fresh = fresh, LAMBDA * fresh + ETA * torch.einsum("bi,bj->bij", h, h)
        states.append(h)
    return h @ p["softmax/kernel"], torch.stack(states, 1)


def data(split, trials):
    task = retrieval(4, trials, seed=7, split=split)
    return ORDER[torch.from_numpy(task.tokens)], torch.from_numpy(task.target)  # digits come first: digit k is symbol k


def main() -> None:
    torch.set_num_threads(1)
    weights = {name: value.requires_grad_() for name, value in start().items()}
    tokens, target = data("train", 100_000)
    steps = len(tokens) // BATCH
    optimiser = torch.optim.Adam(weights.values(), lr=LR, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * steps)
    fast = torch.compile(forward, dynamic=False)
    log = []
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(tokens))[: steps * BATCH].split(BATCH):
            loss = torch.nn.functional.cross_entropy(fast(weights, tokens[rows])[0], target[rows])
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights.values(), 5.0)
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            x, y = data("validation", 5000)
            log.append(
                {"epoch": epoch + 1, "loss": loss.item(), "validation": (forward(weights, x)[0].argmax(1) == y).double().mean().item()}
            )
        print(json.dumps(log[-1]), flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    arrays = {name: value.detach() for name, value in weights.items()}
    np.savez(OUT / "weights.npz", **{name: value.numpy() for name, value in arrays.items()})
    x, y = data("test", 1000)
    logits, states = forward({name: value.double() for name, value in arrays.items()}, x)
    np.savez(OUT / "outputs.npz", tokens=x.numpy(), target=y.numpy(), logits=logits.numpy(), h=states.numpy())
    (OUT / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))


if __name__ == "__main__":
    main()
