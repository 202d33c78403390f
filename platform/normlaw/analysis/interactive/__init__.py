"""Figures to be moved about in: the numbers that a figure draws, drawn by Bokeh in the reader's browser."""

IN_MOTION = ("error_against_norm", "departure", "local_exponent", "optimal_norm", "endpoint_law", "collapse")
"""Figures of an analysis that Bokeh draws too, where the protocol gives what is drawn."""
MOVED = "moved"
"""The collapse that the reader moves."""
