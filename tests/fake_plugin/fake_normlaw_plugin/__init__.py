"""A plugin of someone else."""
