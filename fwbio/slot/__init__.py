"""A memory slot that adapts: how fast it learns, and how long it keeps, is set by its own surprise.

The world (``world``) redraws what is worth remembering at unforeseen times. A slot of fixed gain pays for every switch and for all noise between;
``labile`` is a slot whose plasticity is itself a short-lived state of the synapse, raised by a broadcast of surprise and used up by every confirmation.
``fixed`` holds what it has to beat, ``bound`` what no bank of fixed levels can go below, ``observer`` what nothing can.
"""
