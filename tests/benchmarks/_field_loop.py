"""The ordinary training loop of the field, as tutorials and released code of papers have it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset


class PilImages(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's data sets hold them: each is transformed whenever it is asked for."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        from normlaw_plugins.torchvision_import import prepare_torchvision

        prepare_torchvision()
        from torchvision import transforms

        arrays = inputs.permute(0, 2, 3, 1).numpy()  # (n, height, width, channels)
        self._images = [Image.fromarray(np.ascontiguousarray(array)) for array in arrays]
        self._labels = labels.tolist()
        self._transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))]
        )

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(self._images[index]), self._labels[index]


def torchvisions_vit(ours: nn.Module, params: Any) -> nn.Module:
    """Return torchvision's own network of the same weights, which computes tokens that nothing reads."""
    from torchvision.models import VisionTransformer

    network: nn.Module = VisionTransformer(
        image_size=32,
        patch_size=params.patch,
        num_layers=params.depth,
        num_heads=params.heads,
        hidden_dim=params.width,
        mlp_dim=params.mlp_ratio * params.width,
        num_classes=10,
    )
    network.load_state_dict(ours.state_dict())
    return network


class FieldLoop:
    """A DataLoader, Adam, `loss.item()` at each step, both sets evaluated in full, svdvals of all weights."""

    def __init__(
        self, network: nn.Module, rate: float, device: str, workers: int, train: PilImages, test: PilImages
    ):
        self._network, self._device = network.to(device), device
        self._optimizer = torch.optim.Adam(self._network.parameters(), lr=rate)
        options: dict[str, Any] = {"batch_size": 128, "num_workers": workers, "pin_memory": device != "cpu"}
        self._train = DataLoader(train, shuffle=True, **options)
        self._sets = [DataLoader(images, **options) for images in (train, test)]

    def epoch(self) -> None:
        self._network.train()
        total = 0.0
        for inputs, labels in self._train:
            x, y = inputs.to(self._device), labels.to(self._device)
            self._optimizer.zero_grad()
            loss = cross_entropy(self._network(x), y)
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            total += loss.item()

    @torch.no_grad()
    def evaluate(self) -> None:
        self._network.eval()
        for images in self._sets:
            wrong, total = 0, 0.0
            for inputs, labels in images:
                x, y = inputs.to(self._device), labels.to(self._device)
                outputs = self._network(x)
                total += cross_entropy(outputs, y, reduction="sum").item()
                wrong += int((outputs.argmax(dim=1) != y).sum().item())

    @torch.no_grad()
    def norms(self) -> None:
        for parameter in self._network.parameters():
            if parameter.dim() >= 2:
                torch.linalg.svdvals(parameter.flatten(1))[0].item()
