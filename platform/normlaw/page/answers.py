"""What the page answers to each address: from a view to HTML, numbers or files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import yaml

from normlaw.analysis.comparison import CAPTION, NUMBERS, comparison_figure, comparison_points, comparison_rows
from normlaw.analysis.interactive import MOVED
from normlaw.analysis.interactive.bokeh_figure import data_of, ends_of, interactive
from normlaw.analysis.interactive.compared import compared
from normlaw.analysis.interactive.embedding import json_item
from normlaw.analysis.interactive.moved import SLIDERS, told
from normlaw.analysis.interactive.series import plot_of
from normlaw.analysis.text import VERDICTS
from normlaw.analysis.writing import plain
from normlaw.following.progress import Progress, grouped
from normlaw.page.figures import LIVE, Shown, as_files, drawing_lock
from normlaw.page.kept import KeptAnswers
from normlaw.page.points import responses
from normlaw.page.rendering import render
from normlaw.page.site import ORDERS, Site
from normlaw.page.view import View
from normlaw.tracking.record import read_journal
from normlaw_registry import AnalysisProtocol, InputError
from normlaw_registry.errors import brief

if TYPE_CHECKING:
    import pandas as pd

SHOWN_RUNS = 200
"""Runs of one state that are listed; the rest is counted."""
TITLES = {LIVE: "Curves", MOVED: "Collapse, to be moved by hand", "endpoint_law": "Endpoint law and prediction"}

Query = Sequence[tuple[str, str]]
Json = dict[str, Any]


class Answers:
    """Answers for a site.

    Args:
        site: what there is.
        findings: returns what the latest analyses of studies found, by study and setting; raises InputError.
        differences: returns how the exponents of two studies, or of the settings of one, differ; likewise.
        mlflow_pages: where a browser finds MLflow's pages; empty: where the client finds MLflow.

    """

    def __init__(
        self,
        site: Site,
        findings: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]],
        differences: Callable[[str, str | None], pd.DataFrame],
        mlflow_pages: str = "",
    ) -> None:
        self._mlflow_pages = mlflow_pages
        self._site, self._findings, self._differences = site, findings, differences
        self._kept = KeptAnswers()
        self._marks: dict[str, tuple[object, str]] = {}

    def studies(self, query: Query) -> str:
        """Return the list of studies."""
        content = self._list(query)
        return render(
            "studies.html.jinja", version=_digest(render("studies_list.html.jinja", **content)), **content
        )

    def study(self, query: Query) -> str:
        """Return the page of a study's curves and laws."""
        progress, now = self._seen(query)
        return render(
            "study.html.jinja", version=self._version(progress, now), **self._study_content(progress, now)
        )

    def progress(self, query: Query) -> str:
        """Return the page of a study's progress."""
        view = View.of(query)
        progress = self._site.study(view.study).look()
        return render(
            "progress.html.jinja",
            here="progress",
            version=self._version(progress, None),
            **_progress_content(view, progress),
        )

    def run(self, query: Query) -> str:
        """Return the page of one run: what it is, how far it is, and where it is at MLflow."""
        view, asked = View.of(query), dict(query).get("run", "")
        watched = self._site.study(view.study)
        progress = watched.look()
        found = [run for run in progress.runs if run.run == asked]
        if not found:
            raise InputError(f"study {view.study!r} has no run {brief(asked)}")
        run, store = found[0], watched.follower.store
        seen = watched.follower.journals.get(asked)
        record = None if seen is None or seen.glimpse.damage else read_journal(seen.path, start_only=True)
        pages = None if store is None or not run.run_id else store.pages(self._mlflow_pages)
        address = "" if pages is None else pages.run(run.run_id)
        return render(
            "run.html.jinja",
            here="run",
            view=view,
            run=run,
            address=address,
            serving="" if pages is None else pages.command,
            facts={
                "hash": run.run,
                "worker": run.worker,
                "launch": run.launch,
                "journal": run.journal,
                "measuring points": run.points,
            },
            spec="" if record is None else yaml.safe_dump(record.spec, sort_keys=False, allow_unicode=True),
            params=next((one.params for one in watched.follower.at_server if one.run_id == run.run_id), {}),
        )

    def runs(self, query: Query) -> str:
        """Return the list of the runs whose curves are shown, a page of its own: of thousands it is long."""
        now = self._shown(query)
        drawn = set(now.points["run"]) if len(now.points) else set()
        runs = [run for run in now.setting.runs if run.spec_hash in drawn]
        return render("runs.html.jinja", here="runs", view=now.view, setting=now.setting, runs=runs)

    def news(self, query: Query) -> Json:
        """Return the version of what a page shows and, where the reader has another, the parts that changed."""
        given = dict(query)
        if given.get("page") == "studies":
            html = render("studies_list.html.jinja", **self._list(query))
            version = _digest(html)
            parts = {"list": html}
            return {"version": version, "parts": parts if given.get("have") != version else {}, "figures": []}
        view, now = View.of(query), None
        if given.get("page") == "study":
            progress, now = self._seen(query)
        else:
            progress = self._site.study(view.study).look()
        version = self._version(progress, now)
        figures = [] if now is None else now.names()
        if given.get("have") == version:
            return {"version": version, "parts": {}, "figures": figures}
        parts = {"headline": render("headline.html.jinja", progress=progress)}
        if now is None:
            parts["progress"] = render("progress_parts.html.jinja", **_progress_content(view, progress))
        else:
            parts["laws"] = render("laws.html.jinja", now=now, verdicts=VERDICTS)
        answer = {"version": version, "parts": parts, "figures": figures}
        if now is None:
            return answer
        if given.get("have", "").partition("-")[2] == version.partition("-")[2]:  # by the same laws
            return answer | {"changed": [name for name in figures if name in (LIVE, MOVED)]}
        content = self._study_content(progress, now)
        parts["choices"] = render("choices.html.jinja", **content)
        made = {name: render("figure.html.jinja", name=name, **content) for name in figures}
        return answer | {"changed": figures, "made": made}

    def data(self, query: Query) -> bytes:
        """Return a figure for the browser as JSON: whole, or its numbers where the browser has it already."""
        given = dict(query)
        progress, now = self._seen(query)
        name, have = given.get("figure", ""), given.get("have", "")
        view = replace(now.view, gamma_1=None, gamma_2=None)
        if name == MOVED and now.view != view:  # asked once, on the way of a slider
            return as_json(self._data(now, name, have))
        version = (self._version(progress, now), now.x, repr(now.options))
        return self._kept.answer((view, name, have), version, lambda: as_json(self._data(now, name, have)))

    def _data(self, now: Shown, name: str, have: str) -> Json:
        drawing = now.draw(name)
        plot = plot_of(drawing.parts)
        moves = name in (LIVE, MOVED)  # while it is looked at; of the others the axes end as in print
        signature = plot.signature if moves else f"{plot.signature};{ends_of(drawing, plot)}"
        answer: Json = {"signature": signature, "told": self._told(now, name)}
        if name == MOVED:
            answer["gammas"] = dict(zip(("gamma_1", "gamma_2"), now.gammas[1:], strict=True))
        if have == signature:
            answer["data"] = plain(data_of(plot))
        else:
            answer |= {
                "item": json_item(interactive(drawing, plot, as_printed=not moves)[0]),
                "keys": [one.key for one in plot.series],
            }
        return answer

    def figure(self, query: Query) -> tuple[bytes, str]:
        """Return a figure as a file, and its type."""
        given = dict(query)
        return as_files(self._shown(query).draw(given.get("figure", "")), given.get("ending", ""))

    def compare(self, query: Query) -> str:
        """Return the page that compares studies."""
        chosen = [value for key, value in query if key == "study" and value]
        note = ""
        rows: list[dict[str, Any]] = []
        differences: list[dict[str, Any]] = []
        try:
            rows = comparison_rows(self._findings(chosen))
            for i, first in enumerate(chosen):
                for second in chosen[i + 1 :]:
                    differences += _rows(self._differences(first, second))
            if len(chosen) == 1 and sum(row["gamma_1"] is not None for row in rows) > 1:
                differences = _rows(self._differences(chosen[0], None))
        except InputError as error:
            note = str(error)
        return render(
            "compare.html.jinja",
            names=self._site.names(),
            chosen=chosen,
            note=note,
            ours=[row for row in rows if row["gamma_1"] is not None],
            published=[row for row in rows if row["setting"]],
            exponents=NUMBERS,
            caption=CAPTION,
            differences=differences,
            query=urlencode([("study", name) for name in chosen]),
        )

    def comparison(self, query: Query) -> tuple[bytes, str]:
        """Return the figure of the comparison as a file, or without an ending for the browser, and its type."""
        rows = comparison_rows(self._findings([v for k, v in query if k == "study" and v]))
        ending = dict(query).get("ending", "")
        if ending == "csv":
            import pandas as pd

            return pd.DataFrame(rows).to_csv(index=False).encode(), "text/csv; charset=utf-8"
        with drawing_lock:
            figure = comparison_figure(rows)
        if ending:
            return as_files(figure, ending)
        item, plot = compared(figure, comparison_points(rows))
        answer: Json = {"signature": plot.signature, "told": "", "item": json_item(item), "keys": []}
        return as_json(answer), "application/json"

    def _version(self, progress: Progress, now: Shown | None) -> str:
        """Return what changes with everything that a page of a study shows."""
        known = self._marks.get(progress.study)
        if known is None or known[0] is not progress.runs:  # the same as long as nothing was seen to change
            known = self._marks[progress.study] = (progress.runs, _mark(progress))
        if now is None:
            return known[1]
        return f"{known[1]}-{now.fitted.version}{'w' * now.fitted.at_work}"

    def _shown(self, query: Query) -> Shown:
        view = View.of(query)
        return self._site.figures.shown(self._site.study(view.study), view)

    def _seen(self, query: Query) -> tuple[Progress, Shown]:
        """Return the progress of a study and then what is shown of it, which is as new or newer.

        In the other order what was drawn of older curves could pass for what belongs to the newest progress,
        and stay for ever where that was the last.
        """
        progress = self._site.study(View.of(query).study).look()
        return progress, self._shown(query)

    def _study_content(self, progress: Progress, now: Shown) -> dict[str, Any]:
        """Return what the page of a study, and each of its parts, is made of."""
        own = now.own
        return {
            "here": "study",
            "view": now.view,
            "now": now,
            "progress": progress,
            "across": now.across,
            "responses": responses(own),
            "protocols": self._site.catalogue.names(AnalysisProtocol),
            "sizes": sorted(map(int, own["train_size"].unique())) if len(own) else [],
            "seeds": sorted(map(int, own["seed"].unique())) if len(own) else [],
            "figures": {name: now.caption(name) for name in now.names()},
            "titles": TITLES,
            "sliders": SLIDERS,
            "gammas": dict(zip(("gamma_0", "gamma_1", "gamma_2"), now.gammas, strict=True)),
            "verdicts": VERDICTS,
        }

    def _list(self, query: Query) -> dict[str, Any]:
        given = dict(query)
        order = given.get("sort") or ORDERS[0]
        if order not in ORDERS:
            raise InputError(f"studies are not sorted by {brief(order)}: {', '.join(ORDERS)}")
        search, down = given.get("q", ""), given.get("down") == "1"
        return {
            "lines": self._site.lines(search, order, down=down),
            "order": order,
            "down": down,
            "search": search,
            "note": self._site.note,
            "verdicts": VERDICTS,
        }

    @staticmethod
    def _told(now: Shown, name: str) -> str:
        """Return what stands beside a figure and moves with it."""
        if name != MOVED:
            return ""
        return told(now.moved(), *now.gammas[1:])


def _progress_content(view: View, progress: Progress) -> dict[str, Any]:
    return {
        "view": view,
        "progress": progress,
        "failures": grouped(progress.of_state("failed")),
        "shown_runs": SHOWN_RUNS,
    }


def _mark(progress: Progress) -> str:
    """Return what changes with the progress of a study."""
    runs = [(run.run, run.state, run.step, run.updated) for run in progress.runs]
    launches = [(launch.name, launch.status) for launch in progress.launches]
    return _digest(repr((runs, launches, progress.notes)))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_json(answer: Json) -> bytes:
    """Return an answer as bytes."""
    return json.dumps(answer, allow_nan=False).encode()
