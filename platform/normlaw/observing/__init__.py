"""Runs of training loops that are not normlaw's: their norms are taken, and all else is theirs."""
