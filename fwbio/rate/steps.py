"""Fixed-step integrators for rate equations: explicit Runge-Kutta methods as Butcher tableaux, and the one rule they share.

k_s = f(t + c_s dt, y + dt sum_r a_sr k_r),     y(t + dt) = y + dt sum_s b_s k_s
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tableau:
    """a : rows below the diagonal. order : the error at a fixed time falls as dt**order where f is smooth."""

    order: int
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    c: tuple[float, ...]


TABLEAUX = {
    "Euler": Tableau(1, ((),), (1.0,), (0.0,)),
    "RK2 (midpoint)": Tableau(2, ((), (1 / 2,)), (0.0, 1.0), (0.0, 1 / 2)),
    "RK4": Tableau(4, ((), (1 / 2,), (0.0, 1 / 2), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), (0.0, 1 / 2, 1 / 2, 1.0)),
}


def integrate(slope, y, start, end, steps, tableau: Tableau) -> np.ndarray:
    """y at ``start`` and after each of ``steps`` equal steps to ``end``: (steps + 1, size). slope : function (t, y) -> dy/dt."""
    dt, path = (end - start) / steps, np.empty((steps + 1, np.size(y)))
    path[0] = y
    for step in range(steps):
        t, k = start + step * dt, []
        for row, c in zip(tableau.a, tableau.c, strict=True):
            k.append(slope(t + c * dt, path[step] + dt * sum(a * known for a, known in zip(row, k, strict=True))))
        path[step + 1] = path[step] + dt * sum(b * known for b, known in zip(tableau.b, k, strict=True))
    return path
