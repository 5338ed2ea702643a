"""The rate description: the rate block of each card, integrated by ``scipy.integrate.solve_ivp``."""
