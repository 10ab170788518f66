// A document for the tests of the browser code: import it before anything of curation/ui.

import { GlobalRegistrator } from "@happy-dom/global-registrator";

GlobalRegistrator.register({ url: "http://127.0.0.1:7860/?page=failures" });
document.body.innerHTML = "<div data-toasts></div>";
