"""Training options of a run; all that change what is learnt are off by default."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from normlaw.base.typed import Model


class RateSchedule(Model):
    """How the learning rate changes with the optimiser step, as a factor on `optimizer.learning_rate`."""

    name: Literal["constant", "cosine", "linear", "step"] = Field(
        "constant", description="a bare name means its defaults"
    )
    warmup_steps: NonNegativeInt = Field(
        0, le=10**12, description="steps over which the rate first rises linearly"
    )
    final_factor: float = Field(0.0, ge=0, le=1, description="cosine and linear: the factor at the last step")
    milestones: tuple[float, ...] = Field(
        (), description="step: where the rate falls, as fractions of the steps after warm-up"
    )
    factor: float = Field(0.1, gt=0, lt=1, description="step: what it falls by at each milestone")

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _keys_belong_to_the_name(self) -> Self:
        for key, names in (
            ("final_factor", ("cosine", "linear")),
            ("milestones", ("step",)),
            ("factor", ("step",)),
        ):
            if key in self.model_fields_set and self.name not in names:
                default = type(self).model_fields[key].default
                if getattr(self, key) != default:
                    raise ValueError(f"`{key}` belongs to {' and '.join(names)}; {self.name} has none")
        if self.name == "step" and not self.milestones:
            raise ValueError("a step schedule needs `milestones`, such as [0.5, 0.75]")
        if any(not 0 < m < 1 for m in self.milestones) or list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError("`milestones` are fractions between 0 and 1 in ascending order")
        return self


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
