"""What an adaptive slot has to beat: memories of fixed gain, each tuned to the very stream it is judged on."""

import numpy as np

ETAS, TAUS, LEVELS = np.geomspace(0.01, 1, 25), np.geomspace(0.3, 300, 25), (0.03, 0.12, 0.5)


def delta(stream, eta: float) -> np.ndarray:
    """A <- A + eta (teacher - A x) x^T at each presentation: predictions before each, (n, d)."""
    A, found = np.zeros((stream.key.shape[1], stream.teacher.shape[1])), np.empty_like(stream.teacher)
    for k, (x, teacher) in enumerate(zip(stream.key, stream.teacher)):
        on = np.flatnonzero(x)
        found[k] = x[on] @ A[on]
        A[on] += eta * np.outer(x[on], teacher - found[k])
    return found


def traces(stream, taus) -> np.ndarray:
    """(levels, n, d): sums over earlier presentations of exp(-age/tau) teacher (x . x'), for every tau in s: levels of a Hebbian bank."""
    taus = np.asarray(taus)
    A, found = np.zeros((len(taus), stream.key.shape[1], stream.teacher.shape[1])), np.empty((len(taus), *stream.teacher.shape))
    last = stream.t[0]
    for k, (t, x, teacher) in enumerate(zip(stream.t, stream.key, stream.teacher)):
        on = np.flatnonzero(x)
        A *= np.exp(-(t - last) / taus)[:, None, None]
        found[:, k] = np.einsum("i,lid->ld", x[on], A[:, on])
        A[:, on] += np.multiply.outer(x[on], teacher)
        last = t
    return found


def fitted(levels, value) -> np.ndarray:
    """The predictions of a bank with the gains that are best for this stream (least squares on the true values)."""
    flat = levels.reshape(len(levels), -1)
    gains = np.linalg.lstsq(flat @ flat.T, flat @ value.ravel(), rcond=None)[0]
    return (gains @ flat).reshape(value.shape)


def mse(prediction, value) -> float:
    """Mean squared error over presentations and outputs."""
    return float(np.mean((prediction - value) ** 2))


def wrong(prediction, value) -> float:
    """Share of outputs whose sign is wrong."""
    return float(np.mean(prediction * value <= 0))


def tuned(stream) -> dict:
    """{memory: predictions} of the best fixed gain, the best Hebbian level that decays with time, and a bank of three gains, weights fitted."""
    by_eta = min((delta(stream, eta) for eta in ETAS), key=lambda found: mse(found, stream.value))
    levels = traces(stream, TAUS)
    single = min((fitted(levels[k : k + 1], stream.value) for k in range(len(TAUS))), key=lambda found: mse(found, stream.value))
    bank = fitted(np.stack([delta(stream, eta) for eta in LEVELS]), stream.value)
    return {"delta rule": by_eta, "one time constant": single, "bank of three": bank}
