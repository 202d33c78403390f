"""The page as a web application: which address is answered by what, to whom, and with which permissions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from normlaw.page.answers import Answers, Query, as_json
from normlaw.page.guard import COOKIE, LARGEST_FORM, Guard
from normlaw.page.rendering import STATIC, render
from normlaw_registry import NormlawError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and no script that stands in a page. Bokeh styles its parts in place."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FILES = StaticFiles()
"""What answers that a browser has a file already."""
Endpoint = Callable[[Request], Awaitable[Response]]


class Gate:
    """Answers nobody whom the guard does not admit, and gives each answer the page's headers.

    It stands before the application as ASGI has it: Starlette's own base for such a gate carries every answer
    through a task and a stream of its own, which costs more than the answer that nothing is new.
    """

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have the application answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        answer: ASGIApp = self._app if self._guard.admits(request) else _token_asked_for(request)
        await answer(scope, receive, with_headers)


def _token_asked_for(request: Request) -> Response:
    if request.url.path in ("/news", "/data", "/figure", "/comparison"):
        return Response("this page asks for its token", 401, {"WWW-Authenticate": "Bearer"})
    return HTMLResponse(render("token.html.jinja", wrong=False), 401)


def application(answers: Answers, guard: Guard, hosts: Sequence[str]) -> Starlette:
    """Return the application.

    Args:
        answers: what is answered.
        guard: who is answered.
        hosts: names that the page may be called by; '*' for any.

    """

    async def enter(request: Request) -> Response:
        form = await request.body() if int(request.headers.get("content-length") or 0) <= LARGEST_FORM else b""
        cookie = guard.cookie_for(form)
        if cookie is None:
            return HTMLResponse(render("token.html.jinja", wrong=True), 401)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", max_age=30 * 86_400)
        return response

    def html(answer: Callable[[Query], str]) -> Endpoint:
        return _endpoint(lambda query: (answer(query).encode(), "text/html; charset=utf-8"))

    def json(answer: Callable[[Query], dict[str, object]]) -> Endpoint:
        return _endpoint(lambda query: (as_json(answer(query)), "application/json"))

    return Starlette(
        routes=[
            Route("/", html(answers.studies)),
            Route("/study", html(answers.study)),
            Route("/progress", html(answers.progress)),
            Route("/runs", html(answers.runs)),
            Route("/run", html(answers.run)),
            Route("/compare", html(answers.compare)),
            Route("/news", json(answers.news)),
            Route("/data", _endpoint(lambda query: (answers.data(query), "application/json"))),
            Route("/figure", _endpoint(answers.figure)),
            Route("/comparison", _endpoint(answers.comparison)),
            Route("/token", enter, methods=["POST"]),
            *(Route(f"/static/{path.name}", _file(path)) for path in _static()),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts)),
            Middleware(Gate, guard=guard),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4),
        ],
    )


def _static() -> list[Path]:
    """Return the files that pages load: the page's own, and Bokeh's from its package."""
    import bokeh

    return [
        *sorted(STATIC.iterdir()),
        Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js",
    ]


def _file(path: Path) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        answer = FILES.file_response(path, path.stat(), request.scope)
        answer.headers["Cache-Control"] = "no-cache"  # asked for anew, sent if it changed: Bokeh has a megabyte
        return answer

    return endpoint


def _endpoint(answer: Callable[[Query], tuple[bytes, str]]) -> Endpoint:
    """Return what answers a request in a thread; an error of the reader's is told on a page."""

    async def endpoint(request: Request) -> Response:
        query = request.query_params.multi_items()
        try:
            content, kind = await run_in_threadpool(answer, query)
        except NormlawError as error:
            page = render("message.html.jinja", title="That cannot be shown", message=str(error))
            return HTMLResponse(page, 404)
        return Response(content, media_type=kind)

    return endpoint
