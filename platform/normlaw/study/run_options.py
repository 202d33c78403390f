"""Training options of a run; all that change what is learnt are off by default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from normlaw.base.typed import Model
from normlaw.study.beside import BesideName
from normlaw_registry import Component, Loss, Optimizer, Schedule

FORMER_LOSSES = {"mse": "squared"}
"""Losses by the names that earlier versions had for them."""
PATHS: Mapping[str, Any] = {"final_norm": None, "tolerance": 1e-5}
"""Keys of the paths of a growing norm, which earlier versions had among the optimisers, at their defaults."""
STEPS: Mapping[str, Any] = {"milestones": [], "factor": 0.1}
"""Keys of the schedule `step` at their defaults, which earlier versions wrote out for every schedule."""


class LossChoice(BesideName):
    """What is made small: a loss by name, with its own parameters beside it. A bare name means its defaults."""

    kind: ClassVar[type[Component]] = Loss

    name: str = Field("cross_entropy", description="as `normlaw plugins` lists it; `mse` is `squared`")

    @model_validator(mode="after")
    def _present_name(self) -> Self:
        if self.name in FORMER_LOSSES:
            object.__setattr__(self, "name", FORMER_LOSSES[self.name])
        return self


class OptimizerSpec(BesideName):
    """The optimiser by name, with its own parameters beside it."""

    kind: ClassVar[type[Component]] = Optimizer
    former: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "adam": {"momentum": 0.0, **PATHS},
        "adamw": {"momentum": 0.0, **PATHS},
        "sgd": PATHS,
    }

    name: str = Field("adam", description="as `normlaw plugins` lists it; a bare name means its defaults")
    learning_rate: float = Field(1e-3, gt=0, description="before the schedule's factor")
    weight_decay: float = Field(
        0.0,
        ge=0,
        description="adam and sgd: added to the gradient, times the weights; adamw, muon and sign_descent: "
        "decoupled",
    )


class RateSchedule(BesideName):
    """How the learning rate changes with the optimiser step, as a factor on `optimizer.learning_rate`."""

    kind: ClassVar[type[Component]] = Schedule
    former: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "constant": {"final_factor": 0.0, **STEPS},
        "cosine": STEPS,
        "linear": STEPS,
        "step": {"final_factor": 0.0},
    }

    name: str = Field("constant", description="as `normlaw plugins` lists it; a bare name means its defaults")
    warmup_steps: NonNegativeInt = Field(
        0, le=10**12, description="steps over which the rate first rises linearly"
    )


class Augmentation(Model):
    """Random changes of the images, drawn anew for every batch; parts that are zero are left out."""

    rotation: float = Field(0.0, ge=0, le=180, description="uniform in [-rotation, rotation] degrees")
    shift: float = Field(
        0.0, ge=0, lt=1, description="whole pixels, uniform up to this fraction of width and height"
    )
    crop_padding: NonNegativeInt = Field(
        0, le=10**6, description="pixels of zeros put around the image, from which a window of its size is cut"
    )
    flip: float = Field(0.0, ge=0, le=1, description="probability of mirroring left and right")
    test_images: bool = Field(
        False, description="change the test images too, as the code released with arXiv:2505.13230 does"
    )

    @property
    def active(self) -> bool:
        """Whether any image is changed."""
        return bool(self.rotation or self.shift or self.crop_padding or self.flip)

    @model_validator(mode="after")
    def _test_images_need_a_change(self) -> Self:
        if self.test_images and not self.active:
            raise ValueError("`test_images` needs a change to apply: rotation, shift, crop_padding or flip")
        return self


class Compute(Model):
    """How a run's arithmetic is done; each choice changes a curve's last digits, bfloat16 more than those."""

    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="bfloat16: products of matrices and convolutions; weights, their updates, losses and norms "
        "stay in float32",
    )
    channels_last: bool = Field(True, description="memory layout of images and convolution weights")
    compile: Literal["off", "default", "reduce-overhead", "max-autotune"] = Field(
        "off",
        description="mode of torch.compile; reduce-overhead records CUDA graphs on a GPU; on a CPU it needs a "
        "C++ compiler",
    )

    @field_validator("compile", mode="before")
    @classmethod
    def _yaml_reads_off_as_false(cls, value: Any) -> Any:
        return "off" if value is False else value


class Stopping(Model):
    """Ends a run before its last step, at the first measuring point where one of these holds."""

    train_error: float | None = Field(
        None, ge=0, lt=1, description="training error at most this; 0: all training examples right"
    )
    log_norm: dict[str, float] = Field(
        default_factory=dict, description="a measure's natural log at least this, by the measure's name"
    )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return itself, which is frozen: pydantic copies this default once for each run of a study."""
        return self


class Validation(Model):
    """The examples on which the optimum of a curve is chosen."""

    source: Literal["test", "held_out", "dataset"] = Field(
        "test",
        description="test: the test set serves as validation set, the paper's habit; held_out: training "
        "examples that no run of the seed trains on; dataset: the data set's own validation split",
    )
    size: PositiveInt | None = Field(None, le=10**12, description="held_out: number of examples")

    @model_validator(mode="before")
    @classmethod
    def _bare_source(cls, value: Any) -> Any:
        return {"source": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _size_is_held_outs(self) -> Self:
        if (self.size is not None) != (self.source == "held_out"):
            raise ValueError("`size` goes with `source: held_out`, and only with it")
        return self
