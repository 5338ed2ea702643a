"""Networks that others trained: their weights by a map (``fwbio import``), their outputs beside ours (``fwbio compare --inputs``)."""
