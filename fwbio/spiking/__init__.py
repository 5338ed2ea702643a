"""The spiking description: the spiking block of each card, as Brian2 neuron groups and synapses."""
