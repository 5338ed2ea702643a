"""What decides the weights of a training, as numbers. Needs no torch, so that a wrong one is refused at once."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights. options : the cell's own. compiled : by torch.compile; same maths, other rounding."""

    task: str = "retrieval"
    model: str = "fast_weights"
    units: int = 50
    pairs: int = 4
    options: dict = field(default_factory=dict)
    epochs: int = 30
    patience: int = 1000
    batch: int = 128
    lr: float = 2e-3
    clip: float = 5.0
    noise_neurons: float = 0.0
    noise_spikes: float = 1.0
    noise_from: float = 2.0
    noise_full: float = 6.0
    activity: float = 0.0
    seed: int = 1
    train_size: int = 100_000
    compiled: bool = True
