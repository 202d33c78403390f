"""One forward pass that records which layers are called, in which order, at which input shapes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from normlaw_registry.errors import InputError
from normlaw_registry.linear.example import Example
from normlaw_registry.linear.rules import BATCH_NORMS, LIPSCHITZ


@dataclass
class Call:
    """One call of a layer that has a rule or an exclusion."""

    name: str
    shape: tuple[int, ...]
    """Of its first input, without the batch axis."""
    source: Call | None = None
    """The call whose output is this call's input as it stands."""
    consumers: int = 0
    """How many layers and functions take this call's output."""
    lipschitz: float = 1.0
    """Of the nonlinearities between this call and the next."""
    bare: Bare | None = None
    """Where a weight was used outside of its layer's own call: how. The name is then the parameter's."""


@dataclass(frozen=True)
class Bare:
    """How a function used a weight that was given to it."""

    turned: bool = False
    """As a matrix (in, out) instead of (out, in)."""
    factor: bool = False
    """As factors of the features."""
    axis: int | None = None
    """Of these: which axis of the features, without the batch axis, has a factor each; None: one for all."""


# Functions that only move a parameter's entries about: what they return is still that parameter.
_MOVES = re.compile(
    "broadcast_to|chunk|clone|contiguous|detach|double|expand|expand_as|flatten|float|getitem|mT|movedim|narrow|"
    "numel|permute|repeat|reshape|roll|select|size|split|squeeze|T|t|to|transpose|type_as|unflatten|unsqueeze|view|"
    "zero"
)
# Functions whose result depends on a parameter as on a bias: no linear map of the input.
_ADDS = re.compile("add|cat|concat|concatenate|hstack|iadd|isub|radd|rsub|stack|sub|vstack")
# Functions that multiply by a matrix -> the places of features and matrix among their arguments.
_PRODUCTS = {"linear": (0, 1), "matmul": (0, 1), "mm": (0, 1), "addmm": (1, 2)}
_FACTORS = re.compile("mul|imul|rmul|multiply")


class _Watch(TorchFunctionMode):
    """Sees every function called outside of the layers that have a rule."""

    def __init__(self, network: nn.Module, ignored: Collection[str]) -> None:
        super().__init__()
        self._owners = {
            f"{path}.{name}".lstrip("."): type(module).__name__
            for path, module in network.named_modules()
            for name, _ in module.named_parameters(recurse=False)
        }
        self.calls: list[Call] = []
        self.outputs: dict[int, tuple[Tensor, Call]] = {}  # the tensor is kept, so that its id stays its own
        self.inside = 0
        self.normalising = False
        """Whether it is inside of a batch normalisation, which may apply a nonlinearity too."""
        self.bare: dict[str, None] = {}
        # What a parameter became by such moves, kept so that its id stays its own.
        self._moved: dict[int, tuple[Tensor, str]] = {
            id(p): (p, name) for name, p in network.named_parameters() if name not in ignored
        }
        self._weights = {id(p) for p in network.parameters()}
        self._sizes = {name: p.numel() for name, p in network.named_parameters()}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        raw = getattr(func, "__name__", "")
        if self.inside or raw in ("__get__", "__set__", "__len__", "__format__", "__repr__"):
            if raw == "__get__" and isinstance(result, Tensor):  # .T, .mT, .data
                self._follow("T", args, result)
            if self.normalising:
                self._count(raw.strip("_"), args, kwargs)
            return result
        function = raw.strip("_")
        tensors = [leaf for leaf in tree_leaves((args, dict(kwargs))) if isinstance(leaf, Tensor)]
        for tensor in tensors:
            if (known := self.outputs.get(id(tensor))) is not None:
                known[1].consumers += 1
        if (call := self._bare_call(function, args, kwargs, result)) is not None:
            self._note(call, args, kwargs, result)
        else:
            self._follow(function, tensors, result)
        self._count(function, args, kwargs)
        return result

    def _count(self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Count a nonlinearity for the last call before it."""
        if self.calls and (constant := LIPSCHITZ.get(function)) is not None:
            self.calls[-1].lipschitz *= constant(args, kwargs) if callable(constant) else constant

    def _bare_call(
        self, function: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any
    ) -> Call | None:
        """Return the call that a function is which multiplies features by a weight; None where it is none."""
        if (places := _PRODUCTS.get(function)) is not None:
            given = [*args, kwargs.get("weight")] if function == "linear" else list(args)
            if max(places) < len(given):
                return self._product(given[places[0]], given[places[1]], turned=function != "linear")
        elif _FACTORS.fullmatch(function) and len(args) == 2 and isinstance(result, Tensor):
            weight, features = args if self._name(args[0]) is not None else args[::-1]
            if isinstance(features, Tensor) and features.shape == result.shape:
                return self._factors(features, weight)
        return None

    def _product(self, features: Any, matrix: Any, *, turned: bool) -> Call | None:
        whole = isinstance(matrix, Tensor) and id(matrix) in self._weights and matrix.dim() == 2
        if not whole or not isinstance(features, Tensor) or self._name(features) is not None:
            return None
        if (name := self._name(matrix)) is None:
            return None
        return Call(name, tuple(features.shape[1:]), bare=Bare(turned=turned))

    def _factors(self, features: Tensor, weight: Any) -> Call | None:
        if (name := self._name(weight)) is None or self._name(features) is not None:
            return None
        many = [axis for axis, size in enumerate(weight.shape[::-1], 1) if size > 1]  # the last axis is 1
        if weight.numel() != self._sizes[name] or len(many) > 1 or features.dim() in many:
            return None
        axis = features.dim() - many[0] - 1 if many else None
        return Call(name, tuple(features.shape[1:]), bare=Bare(factor=True, axis=axis))

    def _name(self, value: Any) -> str | None:
        """Return the name of the parameter that a tensor is, or was before it was moved."""
        entry = self._moved.get(id(value)) if isinstance(value, Tensor) else None
        return entry[1] if entry is not None else None

    def _note(self, call: Call, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Tensor) -> None:
        """Take in the call of a bare weight, and a bias that is added with it."""
        for tensor in tree_leaves((args, dict(kwargs))):
            if (name := self._name(tensor)) is not None and name != call.name:
                self.bare[name] = None
            elif isinstance(tensor, Tensor) and (origin := self.outputs.get(id(tensor))) is not None:
                call.source = origin[1]
        self.calls.append(call)
        self.outputs[id(result)] = (result, call)

    def _follow(self, function: str, args: Any, result: Any) -> None:
        for tensor in args:
            if not isinstance(tensor, Tensor) or (entry := self._moved.get(id(tensor))) is None:
                continue
            name = entry[1]
            if _MOVES.fullmatch(function):
                for out in tree_leaves(result):
                    if isinstance(out, Tensor):
                        self._moved[id(out)] = (out, name)
            elif not _ADDS.fullmatch(function):
                layer, owner = name.rpartition(".")[0] or "network", self._owners[name]
                raise InputError(
                    f"layer {layer!r} of type {owner} has weights ({name!r}) that `{function}` uses outside of "
                    "any layer whose linear maps normlaw has a rule for; a plugin supplies one by "
                    f"`Architecture(..., layer_rules=lambda: {{{owner}: rule}})`, where "
                    "rule(layer, name, input_shape) returns its LinearMaps, or () to leave it out by name"
                )
            self.bare[name] = None


def record(
    network: nn.Module,
    example: Example,
    known: Callable[[nn.Module], bool],
    ignored: Collection[str] = (),
) -> tuple[list[Call], list[str]]:
    """Return the calls of known layers in forward order and the bare parameters that act as biases.

    The network runs once in evaluation mode on the example, and is left as it was: training flags,
    running statistics and the random state included.

    Args:
        network: the network.
        example: what it is applied to.
        known: whether a layer's calls are to be recorded; what happens inside of it is not looked at.
        ignored: names of parameters whose uses are not looked at.

    Raises:
        InputError: a parameter is used in another way than as a layer's, as a matrix or factors of the
            features, or as a bias.

    """
    watch = _Watch(network, ignored)
    handles = []

    def enter(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        watch.inside += 1
        if watch.inside > 1:
            return
        watch.normalising = isinstance(layer, BATCH_NORMS)
        first = next(leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor))
        shape = tuple(first.shape[1:])
        ordered = isinstance(layer, nn.MultiheadAttention | nn.RNNBase) and not layer.batch_first
        if ordered and first.dim() == 3:
            shape = (first.shape[0], first.shape[2])  # its axes are (tokens, batch, features)
        call = Call(layer_names[id(layer)], shape)
        if (origin := watch.outputs.get(id(first))) is not None:
            call.source = origin[1]
            call.source.consumers += 1
        watch.calls.append(call)

    def leave(_layer: nn.Module, _args: tuple[Any, ...], output: Any) -> None:
        watch.inside -= 1
        watch.normalising = watch.normalising and watch.inside > 0
        if watch.inside == 0 and isinstance(output, Tensor):
            watch.outputs[id(output)] = (output, watch.calls[-1])

    fitted = example.fitted(network)
    layer_names = {id(module): name for name, module in network.named_modules()}
    for module in network.modules():
        if known(module):
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave))
    try:
        with evaluation(network), watch:
            network(*fitted.args, **fitted.kwargs)
    finally:
        for handle in handles:
            handle.remove()
    maps = {call.name for call in watch.calls if call.bare is not None}
    return watch.calls, [name for name in watch.bare if name not in maps]


@contextmanager
def evaluation(network: nn.Module) -> Iterator[None]:
    """Put the network into evaluation mode, without gradients and autocast; restore each mode and the RNG.

    What is compiled of it runs uncompiled meanwhile: a compiler would see another mode, and compile anew.
    """
    modes = {module: module.training for module in network.modules()}
    devices = {p.device for p in network.parameters() if p.device.type == "cuda"}
    kind = "cuda" if devices else "cpu"
    network.eval()
    try:
        with (
            torch.no_grad(),
            torch.random.fork_rng(devices=list(devices)),
            torch.autocast(kind, enabled=False),
            _uncompiled(),
        ):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _uncompiled() -> AbstractContextManager[None]:
    """Return a context in which compiled modules run as they were written; nothing is imported for it."""
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        return nullcontext()
    return cast("AbstractContextManager[None]", torch.compiler.set_stance("force_eager"))
