"""Trained runs set against the exact answers of the theory that is about them, without a fitted number."""
