"""Training with PyTorch (the ``ann`` extra). Nothing outside this folder needs torch."""
