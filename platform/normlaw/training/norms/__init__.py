"""Singular values and entrywise norms of linear maps."""
