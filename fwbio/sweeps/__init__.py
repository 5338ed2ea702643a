"""Sweeps over grids of parameters: killable, resumable, the same bytes on one machine or many.

axes    what --over says, and the points of the grid
spec    what a sweep computes, and its fingerprint
point   one point: its runs, its figures, its bytes
store   the folder: manifest, one file a point, what has failed
local   the points on this machine's cores; cluster: on a Dask scheduler
plan    what it will cost, before anything runs
table   everything in one labelled table; figures: curves and heat maps
"""
