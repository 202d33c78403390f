from __future__ import annotations

import copy

import pytest
import torch
from torch.nn import functional

from normlaw_plugins.architectures.attention import SelfAttention
from normlaw_plugins.architectures.class_token import ClassTokenAttention
from normlaw_plugins.architectures.vit import VIT
from normlaw_registry import InputError, Task, validate_params
from normlaw_registry.linear import trace_linear_maps

SMALL = {"patch": 4, "width": 12, "depth": 2, "heads": 3}
DIGITS = Task(input_shape=(1, 8, 8), num_classes=10)


def build(task, **values):
    return VIT.build(validate_params(VIT, values), task)


def closed_form(shape, patch, width, depth, classes):
    tokens = (shape[1] // patch) ** 2 + 1
    embedding = shape[0] * patch**2 * width + width + width + tokens * width
    block = 12 * width**2 + 13 * width  # two layer norms 4d, attention 4d^2 + 4d, MLP 8d^2 + 5d
    return embedding + depth * block + 2 * width + width * classes + classes


@pytest.mark.parametrize(
    ("preset", "shape", "classes"),
    [("mnist", (1, 28, 28), 10), ("cifar10", (3, 32, 32), 10), ("cifar100", (3, 32, 32), 100)],
)
def test_presets_have_the_closed_forms_parameter_counts(preset, shape, classes):
    values = VIT.presets[preset]
    network = build(Task(input_shape=shape, num_classes=classes), **values)
    expected = closed_form(shape, values["patch"], values["width"], values["depth"], classes)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_forward_pass_is_the_one_written_out_by_hand():
    torch.manual_seed(0)
    network = build(DIGITS, **SMALL).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    p = dict(network.named_parameters())

    def norm(x, name):
        return functional.layer_norm(x, (12,), p[f"{name}.weight"], p[f"{name}.bias"], eps=1e-6)

    def attention(x, name):
        q, k, v = functional.linear(x, p[f"{name}.in_proj_weight"], p[f"{name}.in_proj_bias"]).chunk(3, dim=-1)
        heads = [t.unflatten(-1, (3, 4)).transpose(1, 2) for t in (q, k, v)]  # (b, heads, tokens, 4)
        weights = (heads[0] @ heads[1].mT / 2).softmax(dim=-1)
        joined = (weights @ heads[2]).transpose(1, 2).flatten(2)
        return functional.linear(joined, p[f"{name}.out_proj.weight"], p[f"{name}.out_proj.bias"])

    inputs = torch.rand(3, 1, 8, 8)
    patches = functional.conv2d(inputs, p["conv_proj.weight"], p["conv_proj.bias"], stride=4)
    x = torch.cat([p["class_token"].expand(3, -1, -1), patches.flatten(2).mT], dim=1)  # (3, 1 + 4, 12)
    x = x + p["encoder.pos_embedding"]
    for index in range(2):
        block = f"encoder.layers.encoder_layer_{index}"
        x = x + attention(norm(x, f"{block}.ln_1"), f"{block}.self_attention")
        y = functional.linear(norm(x, f"{block}.ln_2"), p[f"{block}.mlp.0.weight"], p[f"{block}.mlp.0.bias"])
        x = x + functional.linear(functional.gelu(y), p[f"{block}.mlp.3.weight"], p[f"{block}.mlp.3.bias"])
    x = norm(x, "encoder.ln")[:, 0]
    expected = functional.linear(x, p["heads.head.weight"], p["heads.head.bias"])
    torch.testing.assert_close(network(inputs), expected, rtol=1e-4, atol=1e-5)


def test_factor_leaves_query_key_value_positions_and_norms():
    networks = []
    for factor in (1.0, 0.005):
        torch.manual_seed(0)
        networks.append(build(DIGITS, **SMALL, init_factor=factor))
    scaled = {
        name
        for (name, one), other in zip(networks[0].named_parameters(), networks[1].parameters(), strict=True)
        if not torch.equal(one, other)
    }
    blocks = [f"encoder.layers.encoder_layer_{i}" for i in (0, 1)]
    layers = ("self_attention.out_proj.weight", "mlp.0.weight", "mlp.3.weight")
    assert scaled == {"conv_proj.weight", "heads.head.weight"} | {f"{b}.{la}" for b in blocks for la in layers}


def test_layers_start_from_pytorchs_default_draw():
    torch.manual_seed(0)
    network = build(Task(input_shape=(3, 32, 32), num_classes=10), **{**VIT.presets["mnist"], "patch": 4})
    for weight, fan_in in (
        (network.conv_proj.weight, 48),
        (network.heads.head.weight, 128),
        (network.encoder.layers[0].mlp[0].weight, 128),
    ):
        # uniform on +-1/sqrt(fan_in)
        assert weight.abs().max().item() == pytest.approx(fan_in**-0.5, rel=0.01)
        assert weight.std().item() == pytest.approx((3 * fan_in) ** -0.5, rel=0.05)


@pytest.mark.parametrize(("shape", "patch"), [((1, 8, 9), 1), ((1, 8, 8), 3)])
def test_images_that_patches_do_not_tile_are_refused(shape, patch):
    with pytest.raises(InputError, match="square images"):
        build(Task(input_shape=shape, num_classes=10), **SMALL | {"patch": patch})


def test_heads_must_divide_the_width():
    with pytest.raises(InputError, match="192 is no multiple of 5"):
        validate_params(VIT, {"heads": 5})


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_attention_is_torchs_own_in_values_and_gradients(dropout):
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(12, 3, dropout, batch_first=True)
    torch.nn.init.normal_(theirs.in_proj_bias)
    ours = SelfAttention.of(copy.deepcopy(theirs))
    inputs = torch.randn(5, 7, 12)
    found = []
    for layer in (theirs, ours):
        torch.manual_seed(1)  # what dropout draws
        x = inputs.clone().requires_grad_()
        output, weights = layer(x, x, x, need_weights=False)
        output.square().sum().backward()
        assert weights is None
        found.append((output, x.grad, *(parameter.grad for parameter in layer.parameters())))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_attention_leaves_masks_weights_and_other_sequences_to_torch():
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    ours = SelfAttention.of(theirs)
    x, y = torch.randn(2, 5, 7, 12)
    for arguments, options in (((x, x, x), {}), ((x, y, y), {"need_weights": False})):
        for one, other in zip(theirs(*arguments, **options), ours(*arguments, **options), strict=True):
            assert (one is other is None) or torch.equal(one, other)


def torchvisions(num_layers):
    """torchvision's own, of the size SMALL: what the field trains."""
    from torchvision.models import VisionTransformer  # after normlaw has prepared it

    sizes = {"image_size": 8, "patch_size": 4, "num_heads": 3, "hidden_dim": 12, "mlp_dim": 48}
    return VisionTransformer(**sizes, num_layers=num_layers, num_classes=10)


def test_the_attention_of_every_block_is_the_fast_one_and_starts_from_torchvisions_draw():
    torch.manual_seed(0)
    blocks = build(DIGITS, **SMALL).encoder.layers
    torch.manual_seed(0)
    for block, expected in zip(blocks, torchvisions(num_layers=2).encoder.layers, strict=True):
        assert torch.equal(block.self_attention.in_proj_weight, expected.self_attention.in_proj_weight)
    assert [type(block.self_attention) for block in blocks] == [SelfAttention, ClassTokenAttention]


@pytest.mark.parametrize("depth", [1, 3])
def test_outputs_and_gradients_are_those_of_torchvisions_network(depth):
    torch.manual_seed(0)
    ours = build(Task(input_shape=(3, 8, 8), num_classes=10), **SMALL | {"depth": depth})
    for parameter in ours.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    other = torchvisions(num_layers=depth)
    other.load_state_dict(ours.state_dict())
    inputs = torch.rand(4, 3, 8, 8)
    for network in (ours, other):
        network.double()(inputs.double()).logsumexp(dim=1).sum().backward()
    for (name, one), (expected_name, two) in zip(
        ours.named_parameters(), other.named_parameters(), strict=True
    ):
        assert name == expected_name
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(ours.eval()(inputs.double()), other.eval()(inputs.double()))


def test_the_last_block_applies_to_the_class_token_what_no_other_token_is_read_from():
    maps = trace_linear_maps(build(DIGITS, **SMALL), DIGITS, VIT)
    tokens = {m.name.removeprefix("encoder.layers.encoder_layer_"): m.positions for m in maps}
    first = dict.fromkeys(("query", "key", "value", "output"), 5)
    last = {"query": 1, "key": 5, "value": 5, "output": 1}
    expected = {"conv_proj": 1, "heads.head": 1}
    for block, attention, mlp in ((0, first, 5), (1, last, 1)):
        expected |= {f"{block}.self_attention.{part}": positions for part, positions in attention.items()}
        expected |= {f"{block}.mlp.0": mlp, f"{block}.mlp.3": mlp}
    assert tokens == expected
