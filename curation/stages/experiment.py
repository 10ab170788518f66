"""Experiment: each arm is trained with each seed on as many samples, steps and replay rows, and measured on the same eval examples.

A row is a run (an arm and a seed); several run at a time as processes of their own. What is done stands: a stopped, killed or failed
run is the only one that is done again, from its last snapshot step.
"""

import json
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from curation import checkpoints
from curation.clusters.embedders import WorkspaceEmbedders
from curation.experiments import arm_rows, planning
from curation.experiments.planning import ExperimentOptions
from curation.experiments.retrieval import FILE, Retrieval, retrieved
from curation.experiments.run_folder import RunFolder, write_eval
from curation.experiments.side_by_side import SideBySide
from curation.scoring import Corpora
from curation.stage import Context, Estimate, Job, NothingToDo, Result, Row, Stage
from curation.stages.evaluate import ToEvaluate, row_to_answer
from data.images import ImageStore
from data.store import Store
from data.transaction import Transaction
from data.workspace import Workspace


class Experiment(Stage[ExperimentOptions]):
    name = "experiment"
    title = "Compare arms: train and measure each with several seeds"
    lane = "gpu"
    batch_size = 10_000  # all runs at once: they run side by side
    Options = ExperimentOptions

    def select(self, store: Store, workspace: Workspace, job: Job[ExperimentOptions]) -> list[Row]:
        options, images = job.options, ImageStore(workspace.images)
        here = planning.stock(store, job.round, options)
        made = planning.plan(store, options, here, job.round)
        if reason := planning.obstacle(made):
            raise NothingToDo(reason)
        arms, recipe = planning.chosen_arms(options), planning.recipe_of(options)
        barred: dict[int, list[int]] = {}
        quotas = arm_rows.quotas_of(here.examples, made.samples)
        for seed in made.seeds:
            drawn = arm_rows.draws(arms, here.pools, made.samples, seed, quotas)
            replay = arm_rows.shared_replay(drawn, here.examples, made.replay, seed)
            barred[seed] = [row.identity for row in replay]
            for arm in arms:
                if arm.trained:
                    rows = arm_rows.shuffled([*drawn[arm.name], *replay], seed)
                    RunFolder.of(job.folder, arm.name, seed).write(rows, images, here.checkpoint, recipe, made.steps, seed)
        if any(arm.pool == "retrieved" for arm in arms):
            failures = [example.example_id for example in here.examples if example.failed]
            Retrieval(made.samples, [*here.pools["retrieved"]], failures, barred).write(job.folder)
        runs = [(arm, seed) for arm in arms for seed in planning.seeds_of(arm, options)]
        for arm, seed in runs:
            if not arm.trained:
                RunFolder.of(job.folder, arm.name, seed).write_identities([])
        examples = store.rows("experiment_eval", ToEvaluate, datasets=options.datasets, limit=options.eval_limit)
        corpora = Corpora(store, job.folder)
        asked = [{"key": str(one.example_id), "example_id": one.example_id, **row_to_answer(one, images, corpora)} for one in examples]
        write_eval(job.folder, asked)
        checkpoints.write_to_folder(here.checkpoint, job.folder)
        row = {"job_id": job.job_id, "round": job.round, "checkpoint_id": here.checkpoint.checkpoint_id, "arms": [arm.name for arm in arms]}
        counts = {"seeds": made.seeds, "samples": made.samples, "replay": made.replay, "steps": made.steps}
        (job.folder / "plan.json").write_text(json.dumps(asdict(made)), encoding="utf-8")
        with store.write() as write:
            write.insert("experiment", [{**row, **counts, "plan": asdict(made)}])
        by_seed = sorted(runs, key=lambda run: run[1])  # after one seed of each arm there is something to look at
        return [{"key": f"{arm.name}/{seed}", "arm": arm.name, "seed": seed} for arm, seed in by_seed]

    def estimate(self, store: Store, workspace: Workspace, options: ExperimentOptions) -> Estimate:
        round_ = checkpoints.current_round(store)
        made = planning.plan(store, options, planning.stock(store, round_, options), round_)
        detail: dict[str, Any] = {"samples": made.samples, "replay": made.replay, "steps": made.steps, "eval": made.eval}
        if reason := planning.obstacle(made):
            detail["obstacle"] = reason
        return Estimate(rows=made.runs, usd=(0.0, 0.0), seconds=made.seconds, detail=detail)

    def collect(self, write: Transaction, job: Job[ExperimentOptions], results: list[Result]) -> None:
        for result in results:
            which = {"job_id": job.job_id, "arm": result["arm"], "seed": result["seed"]}
            files = RunFolder.of(job.folder, result["arm"], result["seed"])
            identities = files.identities()
            outcome = files.outcome()
            if outcome is None:
                raise FileNotFoundError(f"{files.folder} holds no outcome")
            counts = {"samples": sum(source != "replay" for source, _, _ in identities)}
            counts["replay"] = len(identities) - counts["samples"]
            write.insert("experiment_run", [{**which, **counts, **outcome.to_row()}], replace=True)
            write.run("experiment_answers_forget", **which)
            write.run("experiment_rows_forget", **which)
            answers = dict.fromkeys(("answer", "strict", "lenient", "error"))
            write.insert("experiment_answer", [{**which, **answers, **answer} for answer in files.read_answers()])
            write.insert("experiment_row", [{**which, "source": s, "id": i, "revision": r} for s, i, r in identities])

    def finish(self, store: Store, workspace: Workspace, job: Job[ExperimentOptions]) -> str | None:
        store.checkpoint()
        diverged = [f"{run['arm']}, seed {run['seed']}" for run in store.rows("experiment_runs", job_id=job.job_id) if run["diverged"]]
        return f"{len(diverged)} runs diverged: {'; '.join(diverged)}" if diverged else None

    def setup(self, context: Context[ExperimentOptions]) -> None:
        self.context = context
        self.made = json.loads((context.folder / "plan.json").read_text(encoding="utf-8"))
        self.unretrieved: str | None = None  # why the arm of retrieved examples can't be run; others can
        if (context.folder / FILE).exists():
            try:
                self._retrieve()
            except Exception as error:
                traceback.print_exc()
                self.unretrieved = f"its examples could not be retrieved: {type(error).__name__}: {error}"

    def _retrieve(self) -> None:
        """Adds the retrieved examples to the runs of their arm, which have their replay already."""
        folder = self.context.folder
        runs = {seed: RunFolder.of(folder, "retrieved", seed) for seed in self.made["seeds"]}
        waiting = [seed for seed, files in runs.items() if not files.has_samples()]
        if not waiting:
            return
        embedders = WorkspaceEmbedders(self.context.workspace, checkpoints.read_from_folder(folder), self._say)
        images = ImageStore(self.context.workspace.images)
        for seed, rows in retrieved(Retrieval.read(folder), waiting, embedders.of).items():
            runs[seed].add_samples(rows, images, seed)

    def _say(self, text: str) -> None:
        self.context.report({"event": "message", "text": text})

    def __call__(self, rows: list[Row]) -> Iterator[Result]:
        by_key = {row["key"]: row for row in rows}
        runs = [(key, RunFolder.of(self.context.folder, row["arm"], row["seed"])) for key, row in by_key.items()]
        if self.unretrieved:
            lost = [key for key, row in by_key.items() if row["arm"] == "retrieved"]
            yield from ({"key": key, "error": self.unretrieved} for key in lost)
            runs = [(key, files) for key, files in runs if key not in lost]
        work = SideBySide(self.made["parallel"], self.made["steps"], self.made["eval"], self.context.should_stop, self.context.report)
        for key, fault in work.run(runs):
            row = by_key[key]
            yield {"key": key, "error": fault} if fault else {"key": key, "arm": row["arm"], "seed": row["seed"]}
