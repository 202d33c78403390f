"""What a user says of the machines: the file behind `--cluster-config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

from dask.utils import parse_bytes
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from normlaw.base.typed import Model
from normlaw.study.yaml_source import YamlSource
from normlaw_registry import InputError
from normlaw_registry.errors import describe_problem, known_keys


def _a_size(text: str) -> str:
    try:
        parse_bytes(text)
    except ValueError:
        raise ValueError(f"{text!r} is no amount of memory; write it like '16 GB'") from None
    return text


def _in_quotes(walltime: Any) -> Any:
    if isinstance(walltime, int):
        raise ValueError(f"put it in quotes, as in '04:00:00': YAML has read the number {walltime}")
    return walltime


Memory = Annotated[str, AfterValidator(_a_size)]


class DaskConfiguration(Model):
    """For `--executor dask`: what one task needs of a worker that is there already."""

    gpus: NonNegativeInt = Field(0, description="GPUs of a task; workers offer them by --resources GPU=1")
    memory: Memory | None = Field(None, description="of a task; workers offer it by --resources MEMORY=16e9")
    worker_seconds: PositiveFloat = Field(60.0, description="how long to wait for the first worker")

    @property
    def needs(self) -> dict[str, float]:
        """What a task takes of a worker while it runs, in Dask's resources."""
        return needs(self.gpus, parse_bytes(self.memory) if self.memory else None)


class BatchConfiguration(Model):
    """For `--executor slurm` and `pbs`: the jobs. What is left out is taken from Dask's own `jobqueue.yaml`.

    Every key but `jobs`, `gpus`, `workers` and `tls` is dask-jobqueue's keyword of the same name.
    """

    jobs: PositiveInt = Field(description="batch jobs at a time, at most")
    cores: PositiveInt | None = Field(None, description="cores of a job")
    memory: Memory | None = Field(None, description="memory of a job, shared evenly by its workers")
    gpus: NonNegativeInt = Field(0, description="GPUs of a job, one for each worker")
    workers: PositiveInt | None = Field(
        None, description="runs at a time in a job; by default one per GPU, without GPUs one per core"
    )
    walltime: Annotated[str | None, BeforeValidator(_in_quotes)] = Field(
        None, description="of a job, in quotes: '04:00:00'"
    )
    queue: str | None = Field(None, description="Slurm: partition")
    account: str | None = None
    resource_spec: str | None = Field(None, description="PBS: what stands after -l in place of select=1:...")
    job_script_prologue: tuple[str, ...] | None = Field(
        None, description="lines of shell before the worker starts: module load, activation of an environment"
    )
    job_extra_directives: tuple[str, ...] | None = Field(None, description="more lines of #SBATCH or #PBS")
    job_directives_skip: tuple[str, ...] | None = Field(None, description="directives to leave out")
    worker_extra_args: tuple[str, ...] | None = Field(None, description="more arguments of `dask worker`")
    python: str | None = Field(None, description="interpreter on the compute nodes; default: this one")
    interface: str | None = Field(None, description="network interface of scheduler and workers, such as ib0")
    local_directory: str | None = Field(None, description="a worker's scratch folder, such as $TMPDIR")
    log_directory: str | None = Field(None, description="of the jobs' output; default: NORMLAW_HOME/cluster")
    death_timeout: PositiveInt | None = Field(None, description="seconds that a worker waits for the scheduler")
    scheduler_options: dict[str, Any] | None = Field(None, description="of the scheduler: host, port, ...")
    tls: bool = Field(True, description="encrypt, and admit only workers of this launch")


def needs(gpus: float, memory: float | None) -> dict[str, float]:
    """Return a task's demand in Dask's resources: `GPU` counts GPUs, `MEMORY` bytes."""
    demand = {"GPU": float(gpus), "MEMORY": float(memory or 0)}
    return {name: amount for name, amount in demand.items() if amount}


Kind = TypeVar("Kind", DaskConfiguration, BatchConfiguration)


def read_configuration(path: Path | None, kind: type[Kind]) -> Kind:
    """Return the configuration in a YAML file; that of an empty file where there is none.

    Raises:
        InputError: a key is unknown, missing or of the wrong type; says in which line.

    """
    source = YamlSource.read(path) if path is not None else YamlSource("{}", "")
    try:
        return kind.model_validate(source.data)
    except ValidationError as error:
        if path is None:
            missing = ", ".join(f"`{problem['loc'][0]}`" for problem in error.errors())
            raise InputError(f"give --cluster-config FILE, a YAML file with at least {missing}") from None
        raise InputError(
            "\n".join(
                f"{source.where(problem['loc'])}: {describe_problem(problem, known_keys(kind, problem['loc']))}"
                for problem in error.errors()
            )
        ) from None
