"""Gradio's own look, reduced: no fonts from the network, the colours of components/tokens.css behind everything."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "Menlo", "monospace")


def theme() -> "gr.themes.Base":
    """Gradio's barest theme in our colours; the pages bring their own styles."""
    import gradio as gr

    return gr.themes.Base(font=FONT, font_mono=MONO).set(
        body_background_fill="#f7f7f5",
        body_background_fill_dark="#161615",
        body_text_color="#1d1d1b",
        body_text_color_dark="#eeede9",
    )
