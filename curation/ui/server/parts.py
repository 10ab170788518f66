"""What a page's `component()` is made of: one gr.HTML around the page's files in components/."""

import json
from typing import TYPE_CHECKING, Any

from curation.ui.server.static_files import COMPONENTS

if TYPE_CHECKING:
    import gradio as gr


def component(name: str, value: Any = None) -> "gr.HTML":
    """One gr.HTML of components/<name>.html, styled by <name>.css and brought to life by <name>.js.

    Scripts and styles go by link, not into gr.HTML's templates: those read braces, backticks and backslashes as their own.
    `value` is handed to the script as JSON.
    """
    import gradio as gr

    template = (COMPONENTS / f"{name}.html").read_text(encoding="utf-8")
    forbidden = [mark for mark in ("{{", "${", "`", "\\") if mark in template]
    if forbidden:
        raise ValueError(f"components/{name}.html: {' '.join(forbidden)} would be read as a template by gr.HTML; move it to {name}.js")
    if name != "shell":
        template = f'<section class="mb mb-page" id="page-{name}" style="visibility:hidden">{template}</section>'
    return gr.HTML(
        value="",
        html_template=template,
        head="".join(f'<link rel="stylesheet" href="ui/{sheet}.css">' for sheet in dict.fromkeys(("tokens", "shell", name))),
        js_on_load=f'import(new URL("ui/lib.js", document.baseURI)).then(lib => lib.mount("{name}", element, {json.dumps(value)}))',
        apply_default_css=False,
        elem_classes=["mb-part"],
    )
