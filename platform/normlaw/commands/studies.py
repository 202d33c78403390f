"""`normlaw studies`: the studies that come with normlaw."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def studies(as_json: bool) -> None:
    """List the shipped studies with their number of runs and optimiser steps."""
    from normlaw.study import expand, find_study, parse_study, shipped_studies
    from normlaw_registry import load_catalogue

    rows = []
    for name in shipped_studies():
        source = find_study(name)
        study = parse_study(source)
        specs = expand(study, load_catalogue(), source)
        steps = sum(spec.total_steps for spec in specs)
        rows.append({"name": name, "runs": len(specs), "steps": steps, "description": study.description})
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(str(row["name"])) for row in rows)
    click.echo(f"{'study':<{width}}  {'runs':>6}  {'steps':>12}  description")
    for row in rows:
        click.echo(f"{row['name']:<{width}}  {row['runs']:>6,}  {row['steps']:>12,}  {row['description']}")
