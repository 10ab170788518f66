"""All that touches Gradio: the frame and every page as one gr.Blocks, of which the URL's `?page=` is shown."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from curation.error_types import ERROR_TYPES, UNKNOWN_COLOUR
from curation.ui.server import module_preload
from curation.ui.server.pages import PAGES
from curation.ui.server.static_files import FOLDER
from data import statuses

if TYPE_CHECKING:
    import gradio as gr

    from curation.ui.services import Services

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "Menlo", "monospace")
SHEETS = ("shared/tokens.css", "shared/components.css")


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
        theme=theme(),
        head=module_preload.head(),
        favicon_path=str(FOLDER / "frame" / "favicon.svg"),
    )


def build(services: "Services") -> "gr.Blocks":
    """All pages as one gr.Blocks."""
    import gradio as gr

    about = {
        "pages": [{"name": page.name, "title": page.title, "group": page.group, "folder": page.folder} for page in PAGES],
        "error_types": [asdict(error_type) for error_type in ERROR_TYPES],  # the workspace's own come with the first poll
        "unknown_colour": UNKNOWN_COLOUR,
        "statuses": statuses.as_json(),
    }
    with gr.Blocks(title=f"{services.workspace.name} · Mistakebook", analytics_enabled=False, fill_width=True) as blocks:
        _component("frame", "frame", "frame.html", [*SHEETS, "frame/frame.css"], about)
        for page in PAGES:
            _component(page.name, page.folder, "page.html", [*SHEETS, f"{page.folder}/page.css"])
    return blocks


def _component(name: str, folder: str, html: str, sheets: list[str], value: Any = None) -> "gr.HTML":
    """One gr.HTML of a folder's HTML, styled by `sheets` and brought to life by frame/mount.js.

    Scripts and styles go by link, not into gr.HTML's templates: those read braces, backticks and backslashes as their own.
    `value` is handed to the script as JSON.
    """
    import gradio as gr

    template = (FOLDER / folder / html).read_text(encoding="utf-8")
    forbidden = [mark for mark in ("{{", "${", "`", "\\") if mark in template]
    if forbidden:
        raise ValueError(f"{folder}/{html}: {' '.join(forbidden)} would be read as a template by gr.HTML; move it to a script")
    if name != "frame":
        template = f'<section class="mb mb-page" id="page-{name}" style="visibility:hidden">{template}</section>'
    mounting = f'mount("{name}", element, {json.dumps(value)})'
    return gr.HTML(
        value="",
        html_template=template,
        head="".join(f'<link rel="stylesheet" href="ui/{sheet}">' for sheet in sheets),
        js_on_load=f'import(new URL("ui/frame/mount.js", document.baseURI)).then(({{ mount }}) => {mounting})',
        apply_default_css=False,
        elem_classes=["mb-part"],
    )


def theme() -> "gr.themes.Base":
    """Gradio's barest theme in the colours of shared/tokens.css, no fonts from the network; the pages bring their own styles."""
    import gradio as gr

    return gr.themes.Base(font=FONT, font_mono=MONO).set(
        body_background_fill="#f7f7f5",
        body_background_fill_dark="#161615",
        body_text_color="#1d1d1b",
        body_text_color_dark="#eeede9",
    )


class QueryForBrowser:
    """Keeps the query of `/` from Gradio, which reads `page` and `deep_link` in it as its own: ours is for the browser alone."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in ("/", scope.get("root_path", "") + "/"):
            scope = {**scope, "query_string": b""}
        await self.app(scope, receive, send)
