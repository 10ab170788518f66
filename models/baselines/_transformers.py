"""What every baseline of transformers shares: loading, asking in batches, embedding pictures, and being finetuned."""

import math
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data.errors import MistakebookError
from data.images import BadImage
from data.images import load as load_picture
from data.records import Ask
from models.baselines._options import TransformersOptions
from models.weights.chat import Chat
from models.weights.files import BadWeights
from models.weights.parts import Parts, image_features, image_ids, parts_of, vision_tower

FAULTS_OF_A_ROW = (ValueError, RuntimeError, IndexError, TypeError)  # of processors and models, on what one row holds
PROBE = (112, 112)  # pixels of the picture that is prepared before the first row
DTYPES = ("float32", "bfloat16", "float16")


class TooLong(MistakebookError):
    """A prompt that is longer, with its picture, than what the model reads."""


class Answer(str):
    """A model's answer; `cut`: it had not ended when it reached the longest length that was asked for."""

    cut: bool = False


class TransformersBaseline:
    """An `AutoModelForImageTextToText`, asked by its chat template. Weights are loaded when first needed."""

    def __init__(self, options: TransformersOptions):
        self.options = options
        self._fits = options.batch_size  # rows that memory has room for; halved where it ran out

    def warm_up(self) -> None:
        """Loads the weights now and prepares a picture, so that what is wrong with them shows before the first row. Raises BadWeights."""
        model, _ = self._loaded
        inputs = self.chat.inputs([Image.new("RGB", PROBE, "white")], [self.chat.prompt("?")])
        ids = image_ids(model.config)
        if ids and not ids.intersection(inputs["input_ids"][0].tolist()):
            raise BadWeights(
                f"{self.options.model}: a prompt has none of the tokens {sorted(ids)}, which stand for a picture in config.json: "
                "processor and weights are of different models"
            )

    def answer(self, asks: Sequence[Ask]) -> list[str | Exception]:
        """Answers, one a row, greedy unless there is a temperature; a row that can't be asked gets the exception instead.

        The longest are asked first: what doesn't fit into memory shows at once, and little is padded. Sampled too, the same rows
        get the same answers.
        """
        found: list[str | Exception] = [""] * len(asks)
        if self.options.temperature:  # once, not for each batch: a question asked k times may be all that two batches hold
            import torch

            torch.manual_seed(zlib.crc32("\n".join(ask.text for ask in asks).encode()))
        limits = [self._limits(ask) for ask in asks]
        waiting = sorted(range(len(asks)), key=lambda i: (limits[i], -len(asks[i].text)))
        while waiting:
            batch = [i for i in waiting[: self._fits] if limits[i] == limits[waiting[0]]]
            waiting = waiting[len(batch) :]
            answers = self._of_batch([asks[i] for i in batch])
            if answers is None:  # too many for the memory
                self._fits = max(1, len(batch) // 2)
                waiting = batch + waiting
                continue
            for i, answer in zip(batch, answers):
                found[i] = answer
        return found

    def embed_images(self, paths: Sequence[str | Path]) -> np.ndarray:
        """Vectors (n, d), float32, of length 1, one a picture: the mean of the patch features of the model's own vision tower."""
        size = self.options.batch_size
        vectors = [vector for start in range(0, len(paths), size) for vector in self._picture_vectors(paths[start : start + size])]
        stacked = np.stack(vectors) if vectors else np.zeros((0, 1), np.float32)
        return stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), 1e-12)

    def load(self) -> tuple[Any, Any]:
        """Model (with its adapter, if any) and processor, on the device, in evaluation mode: for finetuning. Raises BadWeights."""
        import torch

        from models.weights.loading import Placement, load, locate

        device = self.options.device if self.options.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        dtype = self.options.dtype if self.options.dtype != "auto" else "float32" if device == "cpu" else "bfloat16"
        if dtype not in DTYPES:
            raise BadWeights(f"dtype {dtype!r} is none of {', '.join(DTYPES)}")
        placement = Placement(device, dtype, self.options.device_map, self.options.quantisation, self.options.attention)
        folder = locate(self.options.model, self.options.revision)
        return load(folder, self.options.model, placement, self.options.adapter)

    def chat_of(self, model: Any, processor: Any) -> Chat:
        """How a loaded model is asked. Raises BadWeights where no template says so."""
        return Chat(processor, model.config.model_type, self.options.template, self.options.model)

    def picture(self, path: str | Path) -> Image.Image:
        """A picture as the model gets it: RGB, within the limits of the options. Raises BadImage or OSError."""
        return _within(open_image(path), self.options.min_pixels, self.options.max_pixels)

    def lora_targets(self) -> Parts:
        """The layers that get a LoRA: all linear ones of language model (fused experts too) and connector, none of the tower."""
        return parts_of(self._loaded[0])

    @cached_property
    def chat(self) -> Chat:
        """How the loaded model is asked."""
        return self.chat_of(*self._loaded)

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return self.load()

    def _of_batch(self, asks: Sequence[Ask]) -> list[str | Exception] | None:
        """Answers of a batch; None if it took more memory than there is."""
        found: list[str | Exception] = [""] * len(asks)
        pictures: dict[int, Image.Image] = {}
        for i, ask in enumerate(asks):
            try:
                pictures[i] = self.picture(_path(ask))
            except (BadImage, OSError) as error:
                found[i] = error
        for i, answer in zip(pictures, self._answers(list(pictures.values()), [asks[i] for i in pictures])):
            found[i] = answer
        return found if not pictures or self._had_room else None

    def _limits(self, ask: Ask) -> tuple[int, tuple[str, ...]]:
        """The longest answer in tokens, and the texts that end it."""
        return ask.max_new_tokens or self.options.max_new_tokens, ask.stop or tuple(self.options.stop)

    def _answers(self, pictures: list[Image.Image], asks: list[Ask]) -> list[str | Exception]:
        """Answers to questions about pictures. A batch that fails is asked again one by one: the row at fault alone has the error."""
        self._had_room = True
        if not pictures:
            return []
        try:
            return self._generate(pictures, asks)
        except FAULTS_OF_A_ROW as error:
            if _is_out_of_memory(error):
                _free_memory()
                if len(pictures) > 1:
                    self._had_room = False
                    return []
            if len(pictures) == 1:
                return [error]
        return [answer for picture, ask in zip(pictures, asks) for answer in self._answers([picture], [ask])]

    def _generate(self, pictures: list[Image.Image], asks: list[Ask]) -> list[str | Exception]:
        """Answers of a batch whose limits are alike."""
        import torch

        model, processor = self._loaded
        inputs = self.chat.inputs(pictures, [self.chat.prompt(ask.text) for ask in asks])
        lengths, room = inputs["attention_mask"].sum(1).tolist(), context_length(model)
        if room and max(lengths) >= room:
            return self._without_long(pictures, asks, lengths, room)
        most, stops = self._limits(asks[0])
        inputs = inputs.to(model.device, model.dtype)
        sampling: dict[str, Any] = {"do_sample": False}
        if self.options.temperature:
            sampling = {"do_sample": True, "temperature": self.options.temperature}
        if stops:
            sampling |= {"stop_strings": list(stops), "tokenizer": processor.tokenizer}
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=most, **sampling)
        written = output[:, inputs["input_ids"].shape[1] :]
        ends = _end_ids(model)
        texts = processor.batch_decode(written, skip_special_tokens=True)
        return [_read(text, ids, ends, most, stops) for text, ids in zip(texts, written.tolist())]

    def _without_long(self, pictures: list[Image.Image], asks: list[Ask], lengths: list[int], room: int) -> list[str | Exception]:
        fits = [i for i, length in enumerate(lengths) if length < room]
        answers = iter(self._generate([pictures[i] for i in fits], [asks[i] for i in fits]) if fits else [])
        text = "the prompt has {:,} tokens with its picture, and the model reads {:,}: shorten the question, or set max_pixels"
        return [next(answers) if length < room else TooLong(text.format(length, room)) for length in lengths]

    def _picture_vectors(self, paths: Sequence[str | Path]) -> list[np.ndarray]:
        """For each picture the mean over all that the tower sees of it, tiles too, (d,): before the connector, which a finetune changes.

        Pictures that become one tensor each go through the tower together; of others (tiles, patches in one row) one at a time.
        """
        import torch

        model, _ = self._loaded
        inputs = self.chat.inputs([self.picture(path) for path in paths], [self.chat.prompt("?")] * len(paths)).to(
            model.device, model.dtype
        )
        of_pictures = [value for value in inputs.values() if value.shape != inputs["input_ids"].shape]
        together = len(of_pictures) == 1 and of_pictures[0].dim() == 4 and len(of_pictures[0]) == len(paths)
        if not together and len(paths) > 1:
            return [vector for path in paths for vector in self._picture_vectors([path])]
        seen: list[Any] = []
        tower = vision_tower(model)
        hook = tower.register_forward_hook(lambda _module, _inputs, output: seen.append(output)) if tower is not None else None
        try:
            with torch.inference_mode():
                features = image_features(model, inputs)
        finally:
            if hook:
                hook.remove()
        outputs = [self.patches(model, output) for output in seen] or [features]
        if together and len(outputs) == 1 and torch.is_tensor(outputs[0]) and outputs[0].dim() == 3:
            return list(outputs[0].float().mean(dim=1).cpu().numpy())
        if len(paths) > 1:
            return [vector for path in paths for vector in self._picture_vectors([path])]
        vector: np.ndarray = torch.cat([_rows(output) for output in outputs]).float().mean(dim=0).cpu().numpy()
        return [vector]

    def patches(self, model: Any, output: Any) -> Any:
        """Features (…, d) out of what a vision tower gives."""
        return getattr(output, "last_hidden_state", output)


def context_length(model: Any) -> int | None:
    """Tokens that the language model reads, prompt and answer together; None if its configuration doesn't say."""
    found = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return found if isinstance(found, int) and found > 0 else None


def open_image(path: str | Path) -> Image.Image:
    """A picture as every baseline sees it, RGB. Raises BadImage or OSError."""
    return load_picture(Path(path))


def _read(text: str, ids: list[int], ends: set[int], most: int, stops: Sequence[str]) -> Answer:
    """An answer out of what was written: up to the first text that ends it."""
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    answer = Answer(text[: min(found)].strip() if found else text.strip())
    answer.cut = not found and len(ids) >= most and not ends.intersection(ids)
    return answer


def _path(ask: Ask) -> str:
    if ask.image_path is None:
        raise BadImage("the example has no image, and this model needs one; import its dataset again")
    return ask.image_path


def _within(picture: Image.Image, least: int | None, most: int | None) -> Image.Image:
    """The picture in the same shape, with at least and at most so many pixels."""
    area = picture.width * picture.height
    wanted = min(max(area, least or 0), most or max(area, least or 0))
    if wanted == area:
        return picture
    factor, rounded = math.sqrt(wanted / area), math.ceil if wanted > area else math.floor
    return picture.resize((max(1, rounded(picture.width * factor)), max(1, rounded(picture.height * factor))), Image.Resampling.BICUBIC)


def _rows(features: Any) -> Any:
    """(n, d) of features of any shape, also of several tensors."""
    import torch

    if isinstance(features, (list, tuple)):
        return torch.cat([_rows(each) for each in features if torch.is_tensor(each)])
    return features.reshape(-1, features.shape[-1])


def _end_ids(model: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends} - {None}


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text


def _free_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
