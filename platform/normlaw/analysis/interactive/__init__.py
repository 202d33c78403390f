"""Figures to be moved about in: the numbers that a figure draws, drawn by Bokeh in the reader's browser."""
