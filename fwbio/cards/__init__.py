"""Cards: what a memory is, written down once. ``reader`` reads one, ``network`` binds a network's parts together."""
