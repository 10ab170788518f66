"""NVIDIA NeMo Data Designer on the job of benchmarks/frontier.py: a seed of rows, one structured column, pictures as its context."""

from collections.abc import Iterator

import data_designer.config as dd
import pandas
from bulk_job import SYSTEM, Answer, Job, question, timed
from data_designer.interface import DataDesigner

MODEL = "bench"


def work(job: Job) -> Iterator[tuple[int, str]]:
    provider = dd.ModelProvider(name="local", endpoint=job.url, api_key="none")
    parameters = dd.ChatCompletionInferenceParams(max_parallel_requests=job.slots, timeout=300)
    model = dd.ModelConfig(alias=MODEL, model=MODEL, provider="local", inference_parameters=parameters, skip_health_check=True)
    rows = pandas.DataFrame({"row": range(job.rows), "text": map(question, range(job.rows)), "picture": map(job.picture, range(job.rows))})
    made = dd.DataDesignerConfigBuilder(model_configs=[model])
    made.with_seed_dataset(dd.DataFrameSeedSource(df=rows))
    context = dd.ImageContext(column_name="picture", image_format=dd.ImageFormat.JPG)
    asked = {"prompt": "{{ text }}", "system_prompt": SYSTEM, "model_alias": MODEL, "multi_modal_context": [context]}
    made.add_column(dd.LLMStructuredColumnConfig(name="reply", output_format=Answer, **asked))
    designer = DataDesigner(artifact_path=job.folder / "data-designer", model_providers=[provider])
    designer.set_run_config(dd.RunConfig(disable_early_shutdown=True, max_conversation_correction_steps=2, otel_metrics_port=None))
    results = designer.create(made, num_records=job.rows)
    for row in results.load_dataset().to_dict("records"):
        yield row["row"], row["reply"]["answer"]


timed(work)
