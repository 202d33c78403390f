"""Data sets."""

from __future__ import annotations

from collections.abc import Iterable

from normlaw_plugins.datasets.cifar import CIFAR10, CIFAR100
from normlaw_plugins.datasets.committee_teacher import COMMITTEE_TEACHER
from normlaw_plugins.datasets.digits import DIGITS
from normlaw_plugins.datasets.image_folder import IMAGE_FOLDER
from normlaw_plugins.datasets.markov import MARKOV
from normlaw_plugins.datasets.mnist import FASHION_MNIST, MNIST
from normlaw_plugins.datasets.modular_arithmetic import MODULAR_ARITHMETIC
from normlaw_plugins.datasets.power_law_regression import POWER_LAW_REGRESSION
from normlaw_plugins.datasets.random_walk import RANDOM_WALK
from normlaw_plugins.datasets.sparse_regression import SPARSE_REGRESSION
from normlaw_plugins.datasets.teacher_regression import TEACHER_REGRESSION
from normlaw_plugins.datasets.teacher_student import TEACHER_STUDENT
from normlaw_plugins.datasets.text_folder import TEXT_FOLDER
from normlaw_registry import Dataset, hookimpl


@hookimpl
def normlaw_datasets() -> Iterable[Dataset]:
    """Return the built-in data sets."""
    return (
        CIFAR10,
        CIFAR100,
        COMMITTEE_TEACHER,
        DIGITS,
        FASHION_MNIST,
        IMAGE_FOLDER,
        MARKOV,
        MNIST,
        MODULAR_ARITHMETIC,
        POWER_LAW_REGRESSION,
        RANDOM_WALK,
        SPARSE_REGRESSION,
        TEACHER_REGRESSION,
        TEACHER_STUDENT,
        TEXT_FOLDER,
    )
