"""A command that uses a built-in component: what its page shows, and what the tests run."""

from __future__ import annotations

import normlaw_registry as registry

BY_KIND = {
    "architecture": "normlaw run quickstart --set architecture={name}",
    "dataset": "normlaw run quickstart --set dataset={name}",
    "complexity_measure": "normlaw run quickstart --set norm={name} \\\n    --set measures=[{name}]",
    "loss": "normlaw run quickstart --set loss={name}",
    "optimizer": "normlaw run quickstart --set optimizer.name={name}",
    "schedule": "normlaw run quickstart --set learning_rate_schedule={name}",
    "callback": "normlaw run quickstart --set callbacks=[{name}]",
    "fitter": "normlaw analyse quickstart --protocol automatic --fitter {name}",
    "protocol": "normlaw analyse quickstart --protocol {name}",
}
FOLLOWED = (
    "--set loss=squared \\\n    "
    "--set architecture.params.hidden=[4] --set steps=300 --set train_size=[10,15,20,25,30,35]"
)
"""What of quickstart has effective parameters."""
OF_THEIR_OWN = {
    ("callback", "telescoping"): f"normlaw run quickstart --set callbacks=[telescoping] {FOLLOWED}",
    **{
        ("complexity_measure", name): f"normlaw run quickstart --set norm={name} \\\n    "
        f"--set measures=[{name}] {FOLLOWED}"
        for name in ("effective_parameters_test", "effective_parameters_train")
    },
    ("dataset", "image_folder"): "normlaw run quickstart \\\n    "
    "--set 'dataset={name: image_folder, params: {path: photos, size: [32, 32]}}'",
    ("schedule", "step"): "normlaw run quickstart \\\n    "
    "--set 'learning_rate_schedule={name: step, milestones: [0.5, 0.75]}'",
    ("optimizer", "muon"): "normlaw run quickstart --set 'optimizer={name: muon, learning_rate: 0.02}'",
    ("optimizer", "sign_descent"): "normlaw run quickstart \\\n    "
    "--set 'optimizer={name: sign_descent, learning_rate: 0.001}'",
    ("dataset", "teacher_regression"): "normlaw run quickstart --set dataset=teacher_regression \\\n    "
    "--set loss=squared",
    ("dataset", "power_law_regression"): "normlaw run quickstart --set dataset=power_law_regression \\\n    "
    "--set loss=squared",
    ("dataset", "committee_teacher"): "normlaw run quickstart --set dataset=committee_teacher \\\n    "
    "--set loss=squared",
    ("dataset", "sparse_regression"): "normlaw run quickstart \\\n    "
    "--set 'dataset={name: sparse_regression, params: {dimension: 50}}' --set loss=squared",
    ("architecture", "diagonal"): "normlaw run quickstart --set architecture=diagonal \\\n    "
    "--set dataset=sparse_regression --set loss=squared",
    **{
        ("dataset", name): f"normlaw run quickstart --set architecture=gpt \\\n    --set dataset={name}"
        for name in ("markov", "modular_arithmetic", "random_walk", "text_folder")
    },
    **{
        ("architecture", name): f"normlaw run quickstart --set architecture={name} \\\n    --set dataset=markov"
        for name in ("gpt", "lstm")
    },
    ("protocol", "released"): "normlaw analyse quickstart --protocol released --window none 0.3",
    ("theory", "perceptron"): "normlaw theory perceptron --axis alpha=1,4,16 --axis lambda=0.1:100:20",
    ("theory", "random_features"): "normlaw theory random_features \\\n    "
    "--axis examples=100 --axis time=1:1000:4,inf",
    ("theory", "diagonal_network"): "normlaw theory diagonal_network --set noise_variance=0.05 \\\n    "
    "--axis delta=0.25,0.5 --axis initial_scale=0.01:10:20",
    ("theory", "two_layer"): "normlaw theory two_layer --axis alpha=0.1:1000:20",
}
FETCHED = ("cifar10", "cifar100", "fashion_mnist", "mnist")
"""Data sets whose files are fetched where they are not there."""


def example(component: registry.Component) -> str:
    """Return a command line, or "" for a component of a kind that none is known for."""
    own = OF_THEIR_OWN.get((component.kind, component.name))
    if own is not None:
        return own
    command = BY_KIND.get(component.kind, "").format(name=component.name)
    return f"{command} --download" if component.kind == "dataset" and component.name in FETCHED else command
