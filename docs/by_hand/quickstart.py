"""The study `quickstart` without normlaw: PyTorch, MLflow and SciPy by hand.

24 perceptrons with a hidden layer on scikit-learn's digits, their norms and errors at 40 points of training,
logged to MLflow, and the laws fitted as the paper's released code does. It draws what normlaw draws, so that
the numbers can be compared.
"""

from itertools import product
from math import log

import matplotlib
import mlflow
import numpy as np
import pandas as pd
import torch
from mlflow.entities import Metric
from scipy.stats import linregress
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

matplotlib.use("Agg")
from matplotlib import pyplot as plt

EXPERIMENT = "quickstart-by-hand"
SIZES, SEEDS = (30, 60, 120, 240, 480, 960), (0, 1, 2, 3)
STEPS, POINTS, BATCH, RATE = 3000, 40, 4, 0.1
TEST = 837
WINDOW = 0.7  # the early law is read off where lambda/lambda_opt is below it; chosen by eye


def digits():
    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(((pixels * 15).astype(np.uint8)).reshape(-1, 1, 8, 8)).float() / 255
    images = (images - 0.2874) / 0.3538
    labels = torch.from_numpy(labels.astype(np.int64))
    order = torch.from_numpy(np.random.RandomState(0).permutation(len(labels)))
    train, test = order[:-TEST], order[-TEST:]
    return images[train], labels[train], images[test], labels[test]


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def log_norms(network):
    """Bartlett's spectral complexity, and the 2-norm of all weights."""
    matrices = [layer.weight.detach().double() for layer in network if hasattr(layer, "weight")]
    spectral = [float(torch.linalg.matrix_norm(matrix, 2)) for matrix in matrices]
    groups = [float(matrix.norm(dim=1).sum()) for matrix in matrices]  # ||A^T||_{2,1}
    ratios = sum((b / s) ** (2 / 3) for b, s in zip(groups, spectral, strict=True))
    total = sum(float(matrix.square().sum()) for matrix in matrices)
    return {
        "spectral_complexity_kernel": sum(map(log, spectral)) + 1.5 * log(ratios),
        "weight_norm": 0.5 * log(total),
    }


def train(size, seed, data):
    images, labels, test_images, test_labels = data
    chosen = torch.from_numpy(np.random.default_rng([0, seed]).permutation(len(labels))[:size])
    images, labels = images[chosen], labels[chosen]
    torch.manual_seed(int(np.random.default_rng([1, seed]).integers(2**63 - 1)))
    network = perceptron()
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)
    order, batches = np.random.default_rng([2, seed]), []
    measured_at = {0, STEPS, *np.geomspace(1, STEPS, POINTS).round().astype(int).tolist()}
    rows = []
    for step in range(STEPS + 1):
        if step in measured_at:
            network.eval()
            with torch.no_grad():
                outputs, test_outputs = network(images), network(test_images)
            row = {"size": size, "seed": seed, "step": step}
            row |= {f"log_norm/{name}": value for name, value in log_norms(network).items()}
            row["train/error"] = (outputs.argmax(1) != labels).double().mean().item()
            row["test/error"] = (test_outputs.argmax(1) != test_labels).double().mean().item()
            row["train/loss"] = cross_entropy(outputs.double(), labels).item()
            row["test/loss"] = cross_entropy(test_outputs.double(), test_labels).item()
            rows.append(row)
            network.train()
        if step == STEPS:
            break
        if not batches:
            batches = list(torch.from_numpy(order.permutation(size)).split(BATCH))
        batch = batches.pop(0)
        optimizer.zero_grad()
        cross_entropy(network(images[batch]), labels[batch]).backward()
        optimizer.step()
    return pd.DataFrame(rows)


def log_run(client, experiment, curve, size, seed):
    run = client.create_run(experiment, run_name=f"P={size} seed={seed}").info.run_id
    for key, value in {
        "train_size": size,
        "seed": seed,
        "steps": STEPS,
        "batch_size": BATCH,
        "rate": RATE,
    }.items():
        client.log_param(run, key, value)
    names = [name for name in curve if "/" in name]
    metrics = [Metric(name, row[name], 0, int(row["step"])) for _, row in curve.iterrows() for name in names]
    for start in range(0, len(metrics), 1000):
        client.log_batch(run, metrics[start : start + 1000])
    client.log_text(run, curve.to_csv(index=False), "curve.csv")
    client.set_terminated(run)


def laws(curves):
    """gamma_1, gamma_2, gamma_pred and gamma_meas, each with its standard error."""
    curves = curves[curves["test/error"] > 0]
    x = "log_norm/spectral_complexity_kernel"
    grid = np.linspace(curves[x].min(), curves[x].max(), 50)
    early, best_norms, least_errors = [], [], []
    for _, of_size in curves.groupby("size"):
        seeds = [one.sort_values(x) for _, one in of_size.groupby("seed")]
        on_grid = [np.interp(grid, one[x], one["test/error"], left=np.nan, right=np.nan) for one in seeds]
        present = ~np.isnan(on_grid).all(axis=0)
        norm, error = grid[present], np.log(np.nanmean(np.array(on_grid)[:, present], axis=0))
        best = error.argmin()
        inside = norm - norm[best] <= log(WINDOW)
        early.append(linregress(norm[inside], error[inside]))
        best_norms.append(np.mean([one[x].iloc[one["test/error"].argmin()] for one in seeds]))
        least_errors.append(error[best])
    log_size = np.log(sorted(curves["size"].unique()))
    second, endpoint = linregress(log_size, best_norms), linregress(log_size, least_errors)
    gamma_1 = -np.mean([line.slope for line in early])
    error_1 = np.sqrt(np.mean([line.stderr**2 for line in early]))
    return {
        "gamma_1": (gamma_1, error_1),
        "gamma_2": (second.slope, second.stderr),
        "gamma_pred": (gamma_1 * second.slope, np.hypot(error_1 * second.slope, second.stderr * gamma_1)),
        "gamma_meas": (-endpoint.slope, endpoint.stderr),
    }


def figure(curves):
    drawing, axes = plt.subplots()
    for size, of_size in curves.groupby("size"):
        for seed, one in of_size.groupby("seed"):
            norm = np.exp(one["log_norm/spectral_complexity_kernel"])
            axes.loglog(
                norm, one["test/error"], color=f"C{SIZES.index(size)}", label=f"P={size}" if not seed else None
            )
    axes.set(xlabel="spectral complexity", ylabel="test error")
    axes.legend()
    return drawing


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(EXPERIMENT)
    data, curves = digits(), []
    for size, seed in product(SIZES, SEEDS):
        curves.append(train(size, seed, data))
        log_run(client, experiment, curves[-1], size, seed)
    curves = pd.concat(curves, ignore_index=True)
    found = laws(curves)
    run = client.create_run(experiment, run_name="analysis").info.run_id
    for name, (value, error) in found.items():
        print(f"{name:10} {value:8.4f} +- {error:.4f}")
        client.log_metric(run, name, value)
        client.log_metric(run, f"{name}_stderr", error)
    client.log_figure(run, figure(curves), "error_against_norm.png")
    client.set_terminated(run)
    return curves, found


if __name__ == "__main__":
    main()
