"""Runs trained on many machines by Dask: workers that are there already, or batch jobs of Slurm and PBS.

Nothing outside this folder imports Dask, which comes with the extra `cluster`.
"""
