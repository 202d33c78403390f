"""Models that are compiled, trained by several processes, or in shards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch._C._distributed_c10d import HashStore
from torch.nn.parallel import DistributedDataParallel

from normlaw_registry import InputError
from normlaw_tests.own_loop import Loop, network, observe, seeded


@pytest.fixture
def alone() -> Iterator[None]:
    """Be the one process of a group."""
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def state(model: nn.Module) -> list[torch.Tensor]:
    return [*(value.clone() for value in model.state_dict().values()), torch.get_rng_state()]


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.slow
def test_a_compiled_model_is_measured_as_it_is_written_and_is_not_compiled_anew(in_place, tmp_path) -> None:
    compiled: list[int] = []

    def backend(graph: torch.fx.GraphModule, inputs: Any) -> Any:
        compiled.append(len(compiled))
        return graph.forward

    def train(home: Path | None) -> tuple[list[torch.Tensor], int, Any]:
        torch.compiler.reset()
        compiled.clear()
        model = network()
        called: Any = torch.compile(model, backend=backend)
        if in_place:
            model.compile(backend=backend)
            called = model
        observer = observe(called, home) if home is not None else None
        with seeded():
            Loop(model, called).run(observer)
            return state(model), len(compiled), observer

    expected, times, _ = train(None)
    found, again, observer = train(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert times == again > 0
    assert "0.weight" not in observer.excluded
    names = {row["layer"] for row in observer._rows if row["measure"] == "spectral_complexity"}
    assert names == {"0", "5"}  # as of the model itself, so that compiling makes no other run


def test_a_model_in_shards_is_refused(alone, tmp_path) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    sharded = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    fully_shard(sharded, mesh=init_device_mesh("cpu", (1,)))
    with pytest.raises(InputError, match=r"in shards, which no process holds whole .*FSDPModule"):
        observe(sharded, tmp_path)
    part = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    fully_shard(part[1], mesh=init_device_mesh("cpu", (1,)))
    with pytest.raises(InputError, match=r"\(1 is a FSDPModule\)"):
        observe(part, tmp_path)
    with torch.device("meta"):
        hollow = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(InputError, match=r"without values \(1.weight"):
        observe(hollow, tmp_path)


def test_ddp_in_one_process(alone, tmp_path) -> None:
    model = network()
    wrapped = DistributedDataParallel(model)
    with seeded():
        Loop(model, wrapped).run(observe(wrapped, tmp_path / "wrapped"))
    bare = network()
    with seeded():
        Loop(bare).run(observe(bare, tmp_path / "bare"))
    one, two = ([*(tmp_path / name).glob("journal/own/*.jsonl")] for name in ("wrapped", "bare"))
    assert [path.name for path in one] == [path.name for path in two]
    assert points(one[0]) == points(two[0])


def points(path: Path) -> list[Any]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line["values"] for line in lines if line["kind"] == "point"]


def one_of_two(rank: int, home: Path) -> NoReturn:
    """Train as one of two processes, write what was due and what a second start finds, and end the process."""
    dist.init_process_group("gloo", init_method=f"file://{home}/meeting", rank=rank, world_size=2)
    model = network()
    wrapped = DistributedDataParallel(model)
    first = observe(wrapped, home)
    due = []
    with seeded(rank):
        loop = Loop(model, wrapped)
        for step in range(5):
            if first.due(step):
                due.append(step)
                first.point(step, test_error=loop.error())
            loop.step()
    first._close()
    dist.barrier()
    second = observe(wrapped, home)
    found = f"{due} {second.last_step} {second.due(5)} {second.due(7)}"
    try:
        observe(wrapped, home, train_size=0)
    except InputError as error:
        found = f"{found} {error}"
    (home / f"said-{rank}").write_text(found)
    os._exit(0)  # here: a wrapped model that ends with the process waits for gloo's thread, at times for ever


def test_of_several_processes_the_first_writes_and_all_agree(tmp_path) -> None:
    children = []
    for rank in (0, 1):
        if (child := os.fork()) == 0:
            try:
                one_of_two(rank, tmp_path)
            finally:
                os._exit(1)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    said = "[0, 1, 2, 3, 4] 4 False True"
    assert (tmp_path / "said-0").read_text().startswith(f"{said} train_size: ")
    assert (tmp_path / "said-1").read_text().startswith(f"{said} process 0: InputError: train_size: ")
    (path,) = tmp_path.glob("journal/own/*.jsonl")
    assert [point["step"] for point in points(path)] == [0, 1, 2, 3, 4]
