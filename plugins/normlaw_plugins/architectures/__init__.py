"""Networks."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.architectures.cnn import CNN
from normlaw_plugins.architectures.committee import COMMITTEE
from normlaw_plugins.architectures.diagonal import DIAGONAL
from normlaw_plugins.architectures.gpt import GPT
from normlaw_plugins.architectures.lstm import LSTM
from normlaw_plugins.architectures.mlp import MLP
from normlaw_plugins.architectures.perceptron import PERCEPTRON
from normlaw_plugins.architectures.random_features import RANDOM_FEATURES_NETWORK
from normlaw_plugins.architectures.resnet import RESNET
from normlaw_plugins.architectures.vit import VIT
from normlaw_registry import Architecture, hookimpl


@hookimpl
def normlaw_architectures() -> Iterable[Architecture]:
    """Return the built-in architectures."""
    return (CNN, COMMITTEE, DIAGONAL, GPT, LSTM, MLP, PERCEPTRON, RANDOM_FEATURES_NETWORK, RESNET, VIT)
