"""Runs of one study in groups that one law describes."""

from __future__ import annotations

from mlflow.entities import Param, Run, RunData, RunInfo

from normlaw.settings import by_setting, label, telling_names


def test_an_option_that_is_off_counts_as_its_default() -> None:
    def run(**params: str) -> Run:
        listed = [Param(name.replace("__", "."), value) for name, value in params.items()]
        return Run(
            RunInfo("", "", "", "FINISHED", 0, None, "active"),
            RunData(params=[Param("train_size", "8"), *listed]),
        )

    exact, rounded = run(), run(compute__channels_last="True", compute__precision="bfloat16")
    listed = run(compute__precision="float32")
    assert by_setting([exact, rounded, listed]) == [
        ({"compute.precision": "float32"}, [exact, listed]),
        ({"compute.precision": "bfloat16"}, [rounded]),
    ]
    assert by_setting([exact, run(label_noise="0.2")])[0][0] == {"label_noise": "0.0"}


def test_a_setting_is_named_by_the_fewest_parameters_that_tell_it_apart() -> None:
    settings = [
        {"architecture": kind, "architecture.width": width, "batch": "32", "decay": decay}
        for kind, width in (("cnn", ""), ("vit", "8"))
        for decay in ("0", "1")
    ]
    assert telling_names(settings) == ["architecture", "decay"]
    assert telling_names(settings[:1]) == telling_names([]) == []
    assert label({"architecture": "vit", "decay": "1"}) == "architecture=vit decay=1"
