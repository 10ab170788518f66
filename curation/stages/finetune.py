"""Finetune: a LoRA is trained on a frozen snapshot of the approved samples, mixed with replay of what the model knows.

Replay is drawn from train examples that the checkpoint answers right: failures' gold answers are never trained on. Without it
fixing one skill breaks its nearest neighbour: curation/training/replay.py chooses the examples.
"""

import math
import random
import shutil
from collections.abc import Iterator

from curation import checkpoints
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from curation.training import replay
from curation.training.plan import SNAPSHOT, ApprovedSample, FinetuneOptions, Snapshot, gold, launch_problem, new_name, recipe, training_mix
from curation.training.replay import TrainingExample
from data.files import whole
from data.images import ImageStore
from data.question_text import full_text
from data.records import Checkpoint
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace
from models.finetuning.spec import RunSpec, write_rows

KEY = "run"
DEV_LIMIT = 256


class Finetune(Stage[FinetuneOptions]):
    name = "finetune"
    title = "Train a LoRA on the approved samples"
    lane = "gpu"
    batch_size = 1
    Options = FinetuneOptions

    def select(self, store: Store, workspace: Workspace, job: Job[FinetuneOptions]) -> list[Row]:
        checkpoint = checkpoints.find(store, job.options.checkpoint)
        samples, known, wanted = training_mix(store, job.round, checkpoint, job.options)
        if reason := launch_problem(store, len(samples), new_name(job)):
            raise NothingToDo(reason)
        replayed = replay.choose([sample.question for sample in samples], known, wanted, job.options.seed)
        images = ImageStore(workspace.images)
        rows = [_train_row("sample", sample.sample_id, sample, sample.answer, images) for sample in samples]
        rows += [_train_row("replay", example.example_id, example, gold(example), images) for example in replayed]
        random.Random(job.options.seed).shuffle(rows)
        held_out = store.rows("dev_examples", TrainingExample, limit=DEV_LIMIT)
        dev = [_train_row("replay", example.example_id, example, gold(example), images) for example in held_out]
        write_rows(job.folder / "train.parquet", rows)
        write_rows(job.folder / "dev.parquet", dev)
        RunSpec(checkpoint=checkpoint, recipe=recipe(job.options), seed=job.options.seed).write(job.folder)
        Snapshot(samples=[(sample.sample_id, sample.revision) for sample in samples], replay=len(replayed)).write(job.folder)
        return [{"key": KEY}]

    def estimate(self, store: Store, workspace: Workspace, options: FinetuneOptions) -> Estimate:
        checkpoint = checkpoints.find(store, options.checkpoint)
        samples, _, wanted = training_mix(store, checkpoints.current_round(store), checkpoint, options)
        chosen = recipe(options)
        steps = math.ceil(chosen.epochs * math.ceil((len(samples) + wanted) / chosen.batch_size))
        detail = {"samples": len(samples), "replay": wanted, "steps": steps}
        return Estimate(rows=1, usd=(0.0, 0.0), detail=detail)

    def collect(self, write: Transaction, job: Job[FinetuneOptions], results: list[Result]) -> None:
        pass  # `finish` reads the one result, which needs the adapter's files in place

    def finish(self, store: Store, workspace: Workspace, job: Job[FinetuneOptions]) -> str | None:
        adapter = job.folder / "adapter"
        if not adapter.is_dir():
            return None
        parent = checkpoints.find(store, job.options.checkpoint)
        name = new_name(job)
        target = workspace.checkpoints / name
        if not target.exists():
            with whole(target) as part:
                shutil.copytree(adapter, part)
        frozen = Snapshot.read(job.folder)
        if frozen is None:
            raise FileNotFoundError(f"{job.folder / SNAPSHOT}: what the run was trained on is not known; start the finetune again")
        run = {
            "round": job.round,
            "parent": parent.checkpoint_id,
            "job_id": job.job_id,
            "options": job.options.model_dump(),
            "samples": len(frozen.samples),
            "replay": frozen.replay,
        }
        with store.write() as write:
            for run_id in write.insert("run", [run], returning="run_id"):
                rows = [{"run_id": run_id, "sample_id": s, "revision": r} for s, r in frozen.samples]
                write.insert("run_sample", rows)
                new = Checkpoint(name, parent.baseline, parent.model, str(target), parent.options)
                checkpoints.register_within(write, new, parent.checkpoint_id, run_id)
                write.run("run_checkpoint", run_id=run_id, name=name)
        return f"checkpoint {name}"

    def setup(self, context: Context[FinetuneOptions]) -> None:
        self.folder, self.report, self.should_stop = context.folder, context.report, context.should_stop

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        from models.finetune import Stopped, finetune

        try:
            adapter = finetune(self.folder, self.report, lambda: bool(self.should_stop()))
        except Stopped:
            return  # a snapshot step is kept; the next launch goes on from there
        yield {"key": KEY, "adapter": str(adapter)}


def _train_row(source: str, identity: int, item: ApprovedSample | TrainingExample, answer: str, images: ImageStore) -> Row:
    text = full_text(item.question, item.choices, item.prompt_suffix)
    return {"source": source, "id": str(identity), "image_path": str(images.path(item.image)), "text": text, "answer": answer}
