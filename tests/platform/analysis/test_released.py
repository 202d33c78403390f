from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normlaw.analysis import Options, analyse
from normlaw_registry import InputError

STUDIES = ["cnn_cifar10", "resnet_cifar10", "vit_cifar10"]


def choices(facts) -> Options:
    first = facts["early_first_train_size_index"]
    return Options(
        protocol="released",
        window=tuple(facts["early_window_relative_to_optimum"]),
        first_index=first,
        gamma2_first_index=0 if facts["gamma_2_train_sizes"] == "all" else first,
    )


@pytest.mark.parametrize("study", STUDIES)
def test_published_exponents(study, paper_curves, published, catalogue):
    facts = published[study]
    curves = pd.read_csv(paper_curves / f"{study}.csv")
    norms = dict(zip(facts["train_sizes"], facts["mean_log_optimal_norm_over_seeds"], strict=True))
    curves["mean_log_optimal_norm"] = curves["train_size"].map(norms)
    analysis = analyse(curves, catalogue, choices(facts))
    assert analysis.gamma_1.value == pytest.approx(facts["gamma_1"], abs=1e-9)
    assert analysis.gamma_1.stderr == pytest.approx(facts["gamma_1_stderr"], abs=1e-9)
    assert analysis.gamma_2.value == pytest.approx(facts["gamma_2"], abs=1e-9)
    assert analysis.gamma_2.stderr == pytest.approx(facts["gamma_2_stderr"], abs=1e-9)
    # The paper's table gives two decimals.
    assert analysis.gamma_pred.value == pytest.approx(facts["table_gamma_pred"], abs=0.005)
    assert analysis.gamma_pred.stderr == pytest.approx(facts["table_sigma"], abs=0.005)
    assert analysis.gamma_meas.value == pytest.approx(facts["table_gamma_meas"], abs=0.0051)


@pytest.mark.parametrize("study", STUDIES)
def test_mean_curves_say_where_gamma_2_comes_from(study, paper_curves, published, catalogue):
    curves = pd.read_csv(paper_curves / f"{study}.csv")
    analysis = analyse(curves, catalogue, choices(published[study]))
    assert "optimum_of_mean_curves" in {w.code for w in analysis.warnings}
    assert analysis.to_dict()["gamma_2_optima"] == "mean curves"


def test_seeds_are_averaged_on_a_common_grid(make_study, catalogue):
    """With exact power laws in the window, any average of seeds has the same slope."""
    study = make_study(noise=0.0, seed_offset=0.0, optimum_scatter=0.0, rise=4.0, ceiling=1e6, reach=3.0)
    analysis = analyse(study, catalogue, Options(protocol="released", window=(0.03, 0.15)))
    assert analysis.gamma_1.value == pytest.approx(0.5, abs=2e-3)
    assert analysis.to_dict()["gamma_2_optima"] == "mean over runs"


def test_a_window_is_needed(make_study, catalogue):
    with pytest.raises(InputError, match="window chosen by hand"):
        analyse(make_study(), catalogue, Options(protocol="released"))


def test_an_empty_window_names_the_train_size(make_study, catalogue):
    with pytest.raises(InputError, match=r"holds \d points of the mean curve of train size 1000"):
        analyse(make_study(), catalogue, Options(protocol="released", window=(1e-9, 1e-8)))


def test_indices_that_leave_nothing(make_study, catalogue):
    with pytest.raises(InputError, match="leaves no train size"):
        analyse(make_study(), catalogue, Options(protocol="released", window=(0.01, 0.3), first_index=6))
    with pytest.raises(InputError, match="gamma2_first_index leaves 2"):
        analyse(make_study(), catalogue, Options(protocol="released", window=(0.01, 0.3), gamma2_first_index=4))


def test_open_window_takes_all(make_study, catalogue):
    """`None` leaves a side open: the same as limits beyond all points."""
    study = make_study()
    some = analyse(study, catalogue, Options(protocol="released", window=(None, 0.3)))
    wide = analyse(study, catalogue, Options(protocol="released", window=(np.exp(-50.0), 0.3)))
    assert some.gamma_1 == wide.gamma_1
