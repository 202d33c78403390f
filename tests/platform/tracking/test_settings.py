"""Runs of one study in groups that one law describes."""

from __future__ import annotations

from mlflow.entities import Param, Run, RunData, RunInfo, RunTag

from normlaw.tracking import keys
from normlaw.tracking.settings import by_setting, label, telling_names
from normlaw.tracking.study_run import StudyRun, finished


def test_an_option_that_is_off_counts_as_its_default() -> None:
    def run(**params: str) -> StudyRun:
        listed = [Param(name.replace("__", "."), value) for name, value in params.items()]
        info = RunInfo("", "", "", "FINISHED", 0, None, "active")
        return StudyRun.of(Run(info, RunData(params=[Param("train_size", "8"), *listed])))

    exact, rounded = run(), run(compute__channels_last="True", compute__precision="bfloat16")
    listed = run(compute__precision="float32")
    assert by_setting([exact, rounded, listed]) == [
        ({"compute.precision": "float32"}, [exact, listed]),
        ({"compute.precision": "bfloat16"}, [rounded]),
    ]
    assert by_setting([exact, run(label_noise="0.2")])[0][0] == {"label_noise": "0.0"}


def training_run(name: str, measures: str, status: str = "FINISHED", **params: str) -> StudyRun:
    listed = {
        "architecture": "mlp",
        "train_size": "8",
        "seed": "0",
        "steps": "3",
        "measures": measures,
        **params,
    }
    data = RunData(
        params=[Param(key.replace("__", "."), value) for key, value in listed.items()],
        tags=[RunTag(keys.KIND, "training"), RunTag(keys.SPEC_HASH, name)],
    )
    return StudyRun.of(Run(RunInfo(name, "", "", status, 0, None, "active"), data))


def test_what_was_measured_tells_no_runs_and_no_settings_apart() -> None:
    one, both = training_run("one", "weight_norm"), training_run("both", "weight_norm,l1_norm")
    other, third = training_run("other", "weight_norm", seed="1"), training_run("third", "fisher", seed="1")
    killed = training_run("killed", "a,b,c,d", "KILLED")
    assert by_setting([one, both, other, third])[0][0] == {}
    assert finished([killed, one, both, other, third]) == [both, other]
    assert finished([killed, one, both, other, third], "fisher") == [both, third]


def test_a_parameter_that_an_earlier_version_did_not_list_is_at_its_default() -> None:
    old, new = (
        training_run("old", "a"),
        training_run("new", "a", architecture__bias="True", loss="cross_entropy"),
    )
    assert by_setting([old, new]) == [({}, [old, new])]
    assert finished([old, new]) == [old]
    assert len(by_setting([old, training_run("other", "a", architecture__bias="False")])) == 2


def test_a_setting_is_named_by_the_fewest_parameters_that_tell_it_apart() -> None:
    settings = [
        {"architecture": kind, "architecture.width": width, "batch": "32", "decay": decay}
        for kind, width in (("cnn", ""), ("vit", "8"))
        for decay in ("0", "1")
    ]
    assert telling_names(settings) == ["architecture", "decay"]
    assert telling_names(settings[:1]) == telling_names([]) == []
    assert label({"architecture": "vit", "decay": "1"}) == "architecture=vit decay=1"
