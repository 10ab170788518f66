"""Which frontier model a stage asks: the options that all stages share that ask one."""

from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from curation.config import variables
from curation.frontier import endpoints
from curation.frontier.endpoints import POCKET_TEACHER
from curation.stage import API_BATCH, AsksServer

BATCH_API_ROWS = 50_000  # calls that one file of OpenAI's Batch API may hold
JOB_VARIABLE = "MISTAKEBOOK_JOB"  # set for the children of jobs by curation/jobs/child_process.py


class FrontierOptions(AsksServer):
    """Which frontier model a stage asks; part of the options of every stage that asks one, which name it as STAGE.

    What is left out comes from the endpoint that `frontier` names, or else from the stage's own (curation/frontier/endpoints.py).
    """

    STAGE: ClassVar[str | None] = None  # the stage whose own endpoint is asked; None: nobody's

    frontier: str | None = Field(default=None, description="Name of an endpoint in config.toml; empty: that of the stage.")
    endpoint: str = Field(
        default_factory=lambda: variables().base_url or POCKET_TEACHER,
        description="Address of an OpenAI-compatible server (…/v1), or pocket-teacher, the built-in one.",
    )
    model: str = Field(default_factory=lambda: variables().model or POCKET_TEACHER, description="The model's name at that endpoint.")
    api_key_env: str = Field(
        default="OPENAI_API_KEY",
        pattern=endpoints.VARIABLE,
        description="Name of the environment variable with the key; never the key itself.",
    )
    concurrency: int = Field(default=16, ge=1, le=1024, description="Maximum number of concurrent calls.")
    endpoint_options: dict[str, Any] = Field(
        default_factory=dict, description="Further settings of the endpoint, such as max_pixels, detail, temperature, timeout_s."
    )
    batch: bool = Field(
        default=False, description="Use the endpoint's Batch API, where it has one: cheaper (half price at OpenAI), done within a day."
    )
    budget_usd: float | None = Field(
        default_factory=lambda: variables().budget_usd, ge=0, description="Hard limit on this job's spend, in dollars; empty: no limit."
    )

    def host(self) -> str | None:
        return endpoints.host_of(self.endpoint)

    @property
    def asks_in_batches(self) -> bool:
        """By this launch, or by what the endpoint's settings say."""
        return self.batch or bool(self.endpoint_options.get("batch"))

    @property
    def rows_at_once(self) -> int:
        """The batch_size of a stage: whatever waits for a remote batch may as well go into it."""
        return BATCH_API_ROWS if self.asks_in_batches else API_BATCH

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        return endpoints.filled(cls.STAGE, given) if isinstance(given, dict) else given

    @field_validator("endpoint_options")
    @classmethod
    def _known(cls, values: dict[str, Any]) -> dict[str, Any]:
        return endpoints.check_further(values)
