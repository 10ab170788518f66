"""The frame around the pages: header and rail, and all pages in one gr.Blocks, of which the URL's `?page=` is shown."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from curation.error_types import ERROR_TYPES, UNKNOWN_COLOUR
from curation.ui.server import parts
from curation.ui.server import module_preload
from curation.ui.server import theme
from curation.ui.server.pages import PAGES
from curation.ui.server.static_files import COMPONENTS

if TYPE_CHECKING:
    import gradio as gr

    from curation.ui.services import Services


def build(services: "Services") -> "gr.Blocks":
    """All pages as one gr.Blocks."""
    import gradio as gr

    about = {
        "pages": [{"name": page.name, "title": page.title, "group": page.group} for page in PAGES],
        "error_types": [asdict(error_type) for error_type in ERROR_TYPES],
        "unknown_colour": UNKNOWN_COLOUR,
    }
    with gr.Blocks(title=f"{services.workspace.name} · Mistakebook", analytics_enabled=False, fill_width=True) as blocks:
        parts.component("shell", about)
        for page in PAGES:
            page.load().component()
    return blocks


def mount(app: FastAPI, services: "Services", root_path: str | None = None) -> FastAPI:
    """Puts the pages at `/` of the server; its own routes must have been added before."""
    import gradio as gr

    app.add_middleware(QueryForBrowser)
    return gr.mount_gradio_app(
        app,
        build(services),
        path="/",
        root_path=root_path,
        ssr_mode=False,
        app_kwargs={"docs_url": None, "redoc_url": None, "openapi_url": None},
        footer_links=[],
        show_error=False,
        pwa=False,
        theme=theme.theme(),
        head=module_preload.head(),
        favicon_path=str(COMPONENTS / "favicon.svg"),
    )


class QueryForBrowser:
    """Keeps the query of `/` from Gradio, which reads `page` and `deep_link` in it as its own: ours is for the browser alone."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in ("/", scope.get("root_path", "") + "/"):
            scope = {**scope, "query_string": b""}
        await self.app(scope, receive, send)
