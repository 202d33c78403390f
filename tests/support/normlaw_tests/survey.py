"""Networks that people train, each looked through for its linear maps.

`python tests/support/normlaw_tests/survey.py --write docs/reference/networks.md` writes the page anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from normlaw_plugins.torchvision_import import prepare_torchvision
from normlaw_registry import InputError, Task
from normlaw_registry.linear import LinearMapPlan
from normlaw_registry.linear.example import Example
from normlaw_registry.linear.more_rules import CONVENTIONS

BEGIN = "<!-- survey -->\n"
HEAD = ("| network | linear maps | measured | left out by convention |", "|---|---|---|---|")
EXACT, CONVENTION = "exactly", "by convention"


@dataclass(frozen=True)
class Surveyed:
    """One network."""

    name: str
    maps: int
    """How many linear maps it has; 0 where it is refused."""
    how: str
    """EXACT, CONVENTION, or why it is refused."""
    left_out: tuple[str, ...] = ()
    """What is left out by convention."""


def torchvision_names() -> list[str]:
    """Return what torchvision calls its classification models."""
    prepare_torchvision()
    from torchvision import models

    names: list[str] = models.list_models(module=models)
    return names


def torchvision_models(names: Sequence[str]) -> Iterator[Surveyed]:
    """Yield classification models of torchvision, built without values on the meta device."""
    prepare_torchvision()
    from torchvision import models
    from torchvision.models import regnet

    of_init_params = regnet.BlockParams.from_init_params

    def on_the_cpu(**options: Any) -> Any:  # it computes widths with tensors, whose values it needs
        with torch.device("cpu"):
            return of_init_params(**options)

    unfilled: Any = dict.fromkeys(FILLED, _unfilled)
    of_shape: Any = dict.fromkeys(OF_SHAPE, _of_shape)
    with (
        patch.object(regnet.BlockParams, "from_init_params", on_the_cpu),
        patch.multiple(nn.functional, **of_shape),
        patch.multiple(nn.init, **unfilled),
    ):
        for name in names:
            more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
            with torch.device("meta"):
                network = models.get_model(name, weights=None, **more)
            size = 299 if name == "inception_v3" else 224
            yield surveyed(f"torchvision {name}", network, Example.zeros((3, size, size)))


FILLED = (
    *("constant_", "kaiming_normal_", "kaiming_uniform_", "normal_"),
    *("ones_", "trunc_normal_", "uniform_", "xavier_uniform_", "zeros_"),
)
"""What fills weights, of which there are none on the meta device; it takes a fifth of the time nevertheless."""


OF_SHAPE = ("batch_norm", "layer_norm", "gelu", "silu")
"""What torch does step by step in Python on the meta device: half of the time."""


def _unfilled(tensor: Tensor, *_: Any, **__: Any) -> Tensor:
    return tensor


def _of_shape(inputs: Tensor, *_: Any, **__: Any) -> Tensor:
    """Return the shape of what normalises or activates, all that there is of it on the meta device."""
    return torch.empty_like(inputs)


def transformers_models() -> Iterator[Surveyed]:
    """Yield small configurations of transformers' models."""
    prepare_torchvision()
    import transformers as tf

    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
    words = {"vocab_size": 40, "max_position_embeddings": 16}
    gpt2 = tf.GPT2Config(vocab_size=40, n_positions=16, n_embd=16, n_layer=2, n_head=2)
    llama = tf.LlamaConfig(**small, **words, num_key_value_heads=2)
    bert = tf.BertConfig(**small, **words)
    vit = tf.ViTConfig(**small, image_size=16, patch_size=8)
    text = Example(kwargs={"input_ids": torch.ones(1, 6, dtype=torch.int64)})
    image = Example(kwargs={"pixel_values": torch.zeros(1, 3, 16, 16)})
    made: dict[str, tuple[Callable[[Any], nn.Module], Any, Example]] = {
        "GPT2LMHeadModel": (tf.GPT2LMHeadModel, gpt2, text),
        "LlamaForCausalLM (grouped queries)": (tf.LlamaForCausalLM, llama, text),
        "BertForMaskedLM": (tf.BertForMaskedLM, bert, text),
        "BertForSequenceClassification": (tf.BertForSequenceClassification, bert, text),
        "ViTForImageClassification": (tf.ViTForImageClassification, vit, image),
    }
    for name, (kind, config, example) in made.items():
        yield surveyed(f"transformers {name}", kind(config), example)


def surveyed(name: str, network: nn.Module, example: Example) -> Surveyed:
    """Look one network through."""
    try:
        plan = LinearMapPlan.of(network, Task(input_shape=(1,), num_classes=2), example=example)
    except InputError as error:
        return Surveyed(name, 0, str(error))
    left_out = tuple(why for why in CONVENTIONS if why in plan.excluded.values())
    return Surveyed(name, len(plan.linear_maps(network)), CONVENTION if left_out else EXACT, left_out)


def row(one: Surveyed) -> str:
    """Return what was found of a network, as the page shows it."""
    left_out = "; ".join(why.partition(":")[0] for why in one.left_out)
    return f"| {one.name} | {one.maps or ''} | {one.how} | {left_out} |"


def table(found: list[Surveyed]) -> str:
    """Return what was found, as the page shows it."""
    return "\n".join([*HEAD, *map(row, found)]) + "\n"


if __name__ == "__main__":
    page = Path(sys.argv[sys.argv.index("--write") + 1])
    head = page.read_text().partition(BEGIN)[0]
    page.write_text(
        head + BEGIN + "\n" + table([*torchvision_models(torchvision_names()), *transformers_models()])
    )
