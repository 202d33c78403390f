"""Predictions of a network as a linear smoother of its training labels, carried along with its training."""
