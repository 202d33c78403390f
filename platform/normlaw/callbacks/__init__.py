"""Observers for training loops of other libraries, each an extra: one module for each library."""
