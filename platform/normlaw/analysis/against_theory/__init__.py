"""Measured learning curves set against the exact ones of a theory: pure functions of data frames."""
