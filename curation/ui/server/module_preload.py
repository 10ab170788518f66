"""What the browser fetches while Gradio's own scripts still load: the modules of the page that the URL names.

Without it they come one after the other, each named by the one before, once Gradio has put the pages in place. It goes through
Gradio's `head`, which comes after its first script: as a `Link` header it would stand in that one's way (docs/log.md). Styles are
left to gr.HTML, which does not link one that the head names already, if only to fetch it.
"""

import json
import posixpath
import re

from curation.ui.server.pages import PAGES
from curation.ui.server.static_files import FOLDER

_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?["'](\.[\w./]+\.js)["']""", re.MULTILINE)

SCRIPT = """<script>
(() => {
  const files = %s;
  const chosen = new URLSearchParams(location.search).get("page");
  for (const name of new Set([...files[""], ...(files[chosen] ?? files[%s])])) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: "ui/" + name }));
  }
})();
</script>"""


def head() -> str:
    """For the document's head."""
    frame = [*modules("frame/mount.js"), *modules("frame/index.js")]
    files = {"": frame, **{page.name: modules(f"{page.folder}/index.js") for page in PAGES}}
    return SCRIPT % (json.dumps(files, separators=(",", ":")), json.dumps(PAGES[0].name))


def imports(name: str) -> list[str]:
    """The modules that a module of curation/ui imports, by their paths there."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in _IMPORT.findall(text)]


def modules(name: str) -> list[str]:
    """A module of curation/ui and all that it imports, by their paths there."""
    needed: list[str] = []
    todo = [name]
    while todo:
        module = todo.pop(0)
        if module not in needed:
            needed.append(module)
            todo += imports(module)
    return needed
