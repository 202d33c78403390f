from __future__ import annotations

import pytest

from normlaw.analysis.curves_file import read_curves_file
from normlaw_registry import InputError

GOOD = "train_size,log_norm,test_error\n100,1.0,0.5\n100,2.0,0.25\n"


def write(tmp_path, text):
    path = tmp_path / "curves.csv"
    path.write_text(text)
    return path


def test_good_file(tmp_path):
    frame, norm = read_curves_file(write(tmp_path, GOOD + "\n"))
    assert norm == "norm"
    assert frame.to_dict("list") == {
        "train_size": [100, 100],
        "log_norm": [1.0, 2.0],
        "test_error": [0.5, 0.25],
    }


def test_spreadsheets_byte_order_mark_and_spaces(tmp_path):
    text = "\ufefftrain_size, log_norm ,test_error,seed\n100, 1.0,0.5,3\n"
    frame, _ = read_curves_file(write(tmp_path, text))
    assert frame["seed"].tolist() == [3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("train_size,log_norm,test_error\n", "holds no points"),
        ("train_size,lognorm,test_error\n1,1,1\n", r"line 1: no column 'log_norm': did you mean lognorm"),
        ("train_size,log_norm,test_error,sed\n1,1,1,1\n", r"line 1: unknown column 'sed': did you mean seed"),
        (GOOD + "100,x,0.2\n", r"line 4, column 'log_norm': must be a finite number, got 'x'"),
        (GOOD + "100,,0.2\n", r"line 4, column 'log_norm': must be a finite number, got ''"),
        (GOOD + "100,inf,0.2\n", r"line 4, column 'log_norm': must be a finite number"),
        (GOOD + "\n100,3,1.2\n", r"line 5, column 'test_error': must be a fraction in \[0, 1\], got '1.2'"),
        (GOOD + "100,3,-0.1\n", r"line 4, column 'test_error'"),
        (GOOD + "1.5,3,0.1\n", r"line 4, column 'train_size': must be a whole number"),
        (GOOD + "-5,3,0.1\n", r"line 4, column 'train_size': must be positive"),
        (GOOD + "100,1.0,0.3\n", r"line 4, columns train_size, log_norm: the same point as line 2"),
        (GOOD + "100,1e160,0.1\n", r"line 4, column 'log_norm': must lie within \+-1,000,000, got '1e160'"),
        (GOOD + "100,-1e308,0.1\n", r"line 4, column 'log_norm': must lie within"),
        (GOOD + "100,1,2,3,4\n", "is no CSV file: .*line 4"),
    ],
)
def test_bad_files_name_line_and_column(tmp_path, text, message):
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as raised:
        read_curves_file(path)
    assert str(path) in str(raised.value)


def test_many_problems_are_counted(tmp_path):
    with pytest.raises(InputError, match="and 13 more"):
        read_curves_file(write(tmp_path, GOOD + "100,x,2\n" * 9))


def test_measures(tmp_path):
    text = "train_size,log_norm,test_error,measure\n1,1,0.5,a\n1,2,0.5,b\n"
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=r"several measures \(a, b\): choose one with --norm"):
        read_curves_file(path)
    with pytest.raises(InputError, match="no measure 'c'"):
        read_curves_file(path, "c")
    frame, norm = read_curves_file(path, "b")
    assert norm == "b"
    assert frame["log_norm"].tolist() == [2.0]


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_curves_file(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01" * 10)
    with pytest.raises(InputError, match="is no CSV file"):
        read_curves_file(tmp_path / "binary.csv")
    with pytest.raises(InputError, match="cannot read"):
        read_curves_file(tmp_path)
