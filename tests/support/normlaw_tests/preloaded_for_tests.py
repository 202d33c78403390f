"""What test files and tests import, imported once by the process that those that run tests are forked from.

See testers.py. Leaving something out costs seconds and nothing else.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages

from sqlalchemy.orm import configure_mappers

import normlaw
import normlaw_plugins
from normlaw_tests import forkable

WITHOUT = ("normlaw.callbacks", "normlaw_plugins.torchvision_import")
"""Their modules import what few tests need: Lightning, Transformers, torchvision."""
OF_OTHERS = (
    "IPython",
    "alembic.command",
    "beartype.door",
    "bokeh.embed",
    "dask_jobqueue",
    "distributed",
    "execnet.gateway_base",
    "fastapi",
    "git",
    "matplotlib.backends.backend_svg",
    "matplotlib.style",
    "mlflow.cli",
    "mlflow.protos.internal_pb2",
    "mlflow.server.fastapi_app",
    "mlflow.store.tracking.file_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mpmath",
    "nbclient",
    "numba",
    "psycopg",
    "pyarrow.parquet",
    "rich._emoji_codes",
    "scipy.stats",
    "sklearn.datasets",
    "sklearn.linear_model",
    "sphinx.application",
    "statsmodels.api",
    "sympy",
    "tensorboardX",
    "torch._dynamo",
    "torch.fx.experimental.symbolic_shapes",
    "uvicorn",
)


def of_the_house() -> Iterator[str]:
    """Yield the modules of the program and of its plugins."""
    for package in (normlaw, normlaw_plugins):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(WITHOUT) and not module.name.endswith("__main__"):
                yield module.name


gc.disable()
with warnings.catch_warnings(action="ignore"):  # of what libraries import of one another
    for name in (*of_the_house(), *OF_OTHERS):
        with suppress(ImportError):  # of an extra that is not installed, say: its tests are skipped
            import_module(name)
    configure_mappers()  # as the first store of a process does
forkable.make_ready()
