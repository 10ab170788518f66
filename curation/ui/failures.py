"""The Failures page: what a checkpoint got wrong, grouped, mapped, and one by one."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from curation.ui import parts

if TYPE_CHECKING:
    import gradio as gr

router = APIRouter(prefix="/api/failures")


def component() -> "gr.HTML":
    return parts.component("failures")
