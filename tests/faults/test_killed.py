"""Whatever is killed whenever: the study ends as if nothing had happened, bit for bit on the CPU."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KILLS = 40


def workers(pid: int) -> list[int]:
    """Return the processes that a launch has begun."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def measured(folder: Path) -> int:
    """Return how much the journals of a folder hold."""
    return sum(path.stat().st_size for path in folder.glob(".normlaw/journal/*/*.jsonl"))


def curves(folder: Path) -> dict[str, list[dict[str, float]]]:
    """Return every journal's measurements, as they stand there."""
    found = {}
    for path in folder.glob(".normlaw/journal/*/*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert lines[-1] | {"time": 0} == {"kind": "end", "time": 0, "status": "finished", "reason": ""}
        found[path.stem] = [line["values"] for line in lines if line["kind"] == "point"]
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds worker processes in /proc")
def test_forty_kills_change_no_bit_and_double_nothing(
    nursery: Any, make_desk: Any, small: dict[str, Any], write_study: Callable[[dict[str, Any]], Path]
) -> None:
    changes = {
        "fixed": {**small["fixed"], "steps": 120, "measuring_points": 60, "callbacks": ["path_length"]},
        "vary": {"train_size": [32, 64], "seed": {"count": 7}},
    }
    undisturbed, desk = make_desk("undisturbed", **changes), make_desk("killed", **changes)
    study = str(write_study(small | changes))
    arguments = ("run", study, "--max-parallel", "2", "--checkpoint-seconds", "0.1", "--device", "cpu")

    calm = nursery.launch(undisturbed.folder, *arguments)
    assert nursery.wait(calm) == 0, (undisturbed.folder / "out.txt").read_text()
    # so that much is left to kill, however fast the machine is
    stride = measured(undisturbed.folder) // (2 * KILLS)

    draw = random.Random(40)
    kills = {"launcher": 0, "worker": 0}
    launches = 0
    pid = None
    while sum(kills.values()) < KILLS:
        if pid is None:
            pid = nursery.launch(desk.folder, *arguments)
            launches += 1
            if draw.random() < 0.2:  # while it begins
                time.sleep(draw.uniform(0, 1))
        more = measured(desk.folder) + draw.randrange(1, stride)
        while measured(desk.folder) < more and alive(pid):
            time.sleep(0.005)
            if draw.random() < 0.002:
                break
        time.sleep(draw.uniform(0, 0.02))
        if not alive(pid):
            assert nursery.wait(pid) in (0, 1)
            pid = None
            assert unfinished(desk), f"all was trained after {kills}: make the study longer"
            continue
        victims = workers(pid)
        if victims and draw.random() < 0.6:
            os.kill(draw.choice(victims), signal.SIGKILL)
            kills["worker"] += 1
        else:
            os.kill(pid, signal.SIGKILL)
            assert nursery.wait(pid) == -signal.SIGKILL
            kills["launcher"] += 1
            pid = None
    if pid is not None:
        nursery.wait(pid)
    assert min(kills.values()) >= 10, kills

    for _ in range(3):  # a run whose worker was killed three times in one launch is left to the next
        status = nursery.wait(nursery.launch(desk.folder, "resume", "small", "--device", "cpu"))
        if status == 0:
            break
    assert status == 0, (desk.folder / "out.txt").read_text()[-3000:]
    assert curves(desk.folder) == curves(undisturbed.folder)
    assert all("callback/path_length/length" in c[-1] for c in curves(desk.folder).values())
    assert desk.content() == undisturbed.content()
    assert not any((desk.folder / ".normlaw" / "checkpoints").rglob("*.ckpt"))


def unfinished(desk: Any) -> list[str]:
    """Return the runs that have no end in their journal yet."""
    folder = desk.folder / ".normlaw" / "journal" / desk.study.name
    done = {path.stem for path in folder.glob("*.jsonl") if b'"finished"' in path.read_bytes()[-200:]}
    return [spec.spec_hash for spec in desk.specs if spec.spec_hash not in done]


def test_what_callbacks_keep_goes_on_to_the_bit(
    nursery: Any, small: dict[str, Any], write_study: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    """Runs with effective parameters, whose smoother goes into checkpoints, killed again and again."""
    fixed = {
        "architecture": {"name": "mlp", "params": {"hidden": [4]}},
        "dataset": {"name": "teacher_student", "params": {"dimension": 8, "test_size": 100}},
        "loss": "squared",
        "optimizer": {"name": "adam", "learning_rate": 0.01, "weight_decay": 0.01},
        "batch_size": 8,
        "steps": 200,
        "measuring_points": 40,
        "measures": ["effective_parameters_test", "weight_norm"],
        "callbacks": ["path_length"],
    }
    study = str(write_study(small | {"fixed": fixed, "vary": {"train_size": [20], "seed": [0, 1]}}))
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    options = ("--max-parallel", "2", "--checkpoint-seconds", "0.01", "--device", "cpu", "--offline")
    for folder in (calm, killed):
        folder.mkdir()
    assert nursery.wait(nursery.launch(calm, "run", study, *options)) == 0, (calm / "out.txt").read_text()
    stride = measured(calm) // 8
    for _ in range(4):
        pid = nursery.launch(killed, "run", study, *options)
        more = measured(killed) + stride
        while measured(killed) < more and alive(pid):
            time.sleep(0.005)
        assert alive(pid), "all was trained before it could be killed"
        os.kill(pid, signal.SIGKILL)
        assert nursery.wait(pid) == -signal.SIGKILL
    assert nursery.wait(nursery.launch(killed, "run", study, *options)) == 0
    assert curves(killed) == curves(calm)
    last = next(iter(curves(calm).values()))[-1]
    assert last["callback/telescoping/parameters_test"] > 1
    assert last["callback/path_length/length"] > 0
