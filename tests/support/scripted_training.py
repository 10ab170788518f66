"""A finetune whose training is a drawn curve instead of a model: rows, snapshot, run and checkpoint are the real stage's."""

import math
import time

from curation.stages.finetune import KEY, Finetune

STEPS = 60
CRASHES = 13  # as a seed


class ScriptedFinetune(Finetune):
    def setup(self, context):
        super().setup(context)
        self.seed = context.options.seed

    def __call__(self, rows):
        checks = [
            {"name": "rows", "ok": True, "detail": "as they should be"},
            {"name": "labels", "ok": self.seed != CRASHES, "detail": "3 of 41 learn"},
        ]
        self.report({"event": "preflight", "checks": checks})
        if self.seed == CRASHES:
            raise RuntimeError("labels: every label is masked <b>here</b>")
        kept = self.folder / "kept-step"
        first = int(kept.read_text()) if kept.exists() else 0
        for step in range(first + 1, STEPS + 1):
            time.sleep(0.12)
            loss = 0.2 + 2 * math.exp(-step / 15) + 0.1 * math.sin(step)
            values = {"loss": loss, "learning_rate": 1e-3, "grad_norm": 0.8, "samples_per_s": 52.0, "memory_mb": 1060}
            self.report({"event": "progress", "done": step, "total": STEPS, **values})
            if step % 20 == 0:
                self.report({"event": "progress", "done": step, "total": STEPS, "dev_loss": loss + 0.1})
            while step == STEPS // 2 and not kept.exists() and not self.should_stop():
                time.sleep(0.05)  # a run is stopped once, however long its page takes
            if self.should_stop():
                kept.write_text(str(step))
                return
        (self.folder / "adapter").mkdir()
        (self.folder / "adapter" / "adapter_config.json").write_text("{}")
        yield {"key": KEY, "adapter": str(self.folder / "adapter")}


STAGES = {"finetune": ScriptedFinetune}
