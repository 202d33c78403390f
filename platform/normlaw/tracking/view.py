"""The view that each study has in the menu *Views* of MLflow's page: test error against norm.

MLflow keeps a saved view as a tag of the experiment: JSON with a name and the state of the page, compressed.
A version of MLflow that has no such menu shows nothing of it.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from normlaw.tracking.keys import KIND, log_norm

VIEW = "mlflow.sharedViewState.normlaw-error-against-norm"
"""Tag of an experiment: the view."""
NAME = "Test error against norm"
"""What the menu calls it."""
SECTION = "laws"


def saved_view(norm: str) -> dict[str, str]:
    """Return the tag that is the view of a study whose laws are read in a norm.

    Runs are in the order of their seeds, so that those shown at first have one seed and every train size.
    """
    view = {"name": NAME, "createdAt": 0, "updatedAt": 0, "state": packed(state(norm))}  # the same always
    return {VIEW: json.dumps(view)}


def link(experiment_id: str) -> str:
    """Return where MLflow's pages show the view, as a link on one of them."""
    return (
        f"#/experiments/{experiment_id}/runs?viewStateShareKey={VIEW.rpartition('.')[2]}&compareRunsMode=CHART"
    )


def state(norm: str) -> dict[str, Any]:
    """Return the state of the page of runs: which it shows, in which order, and its charts."""
    return {
        "searchFilter": " and ".join(f"tags.`{KIND}` != '{kind}'" for kind in ("analysis", "launch")),
        "orderByKey": "params.`seed`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": ["params.`train_size`", "params.`seed`"],
        "runsHiddenMode": "FIRST_20_RUNS",
        "hideEmptyCharts": True,
        "compareRunCharts": [chart("test/error", norm), chart("test/loss", norm)],
        "compareRunSections": [
            {
                "uuid": SECTION,
                "name": SECTION,
                "display": True,
                "isReordered": True,
                "deleted": False,
                "isGenerated": False,
            }
        ],
    }


def chart(metric: str, norm: str) -> dict[str, Any]:
    """Return a chart of lines, a run each: a metric, on a logarithmic scale, against the log of a norm."""
    return {
        "uuid": metric,
        "type": "LINE",
        "runsCountToCompare": 20,
        "metricSectionId": SECTION,
        "deleted": False,
        "isGenerated": False,
        "displayName": metric,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "selectedYAxisMetricKey": "metric",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "scaleType": "log",
        "xAxisKey": "metric",
        "selectedXAxisMetricKey": log_norm(norm),
        "xAxisScaleType": "linear",
        "useGlobalXaxisKey": False,
        "lineSmoothness": 0,
        "useGlobalLineSmoothing": True,
        "range": {},
        "ignoreOutliers": False,
    }


def packed(content: dict[str, Any]) -> str:
    """Return JSON as MLflow's pages pack it."""
    return "deflate;" + base64.b64encode(zlib.compress(json.dumps(content).encode())).decode()


def unpacked(text: str) -> dict[str, Any]:
    """Return what `packed` was given."""
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(text.partition(";")[2])))
    return found
