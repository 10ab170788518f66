"""Small benchmarks in their official layouts, written to disk as their sites distribute them: real names of files, folders and fields."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image


def picture(number: int, kind: str = "PNG") -> bytes:
    """A small picture; another number gives another one."""
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), (number * 37 % 256, number * 91 % 256, number * 53 % 256)).save(buffer, kind)
    return buffer.getvalue()


def put(path: Path, content: Any) -> Path:
    """Writes bytes, text, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def vizwiz(root: Path) -> Path:
    """Annotations.zip and the pictures, unpacked: test has no answers; one item has one empty answer of ten, one only empty ones."""

    def item(split: str, number: int, answers: list[str] | None) -> dict[str, Any]:
        name = f"VizWiz_{split}_{number:08d}.jpg"
        put(root / split / name, picture(number, "JPEG"))
        made: dict[str, Any] = {"image": name, "question": f"What is this {number}?"}
        if answers is not None:
            answer_rows = [{"answer": answer, "answer_confidence": "yes"} for answer in answers]
            made |= {"answers": answer_rows, "answer_type": "other", "answerable": 1}
        return made

    put(root / "Annotations/train.json", [item("train", i, ["box"] * 10) for i in range(3)])
    put(root / "Annotations/val.json", [item("val", 1, ["cup"] * 9 + [""]), item("val", 2, [""] * 10), item("val", 3, ["can"] * 10)])
    put(root / "Annotations/test.json", [item("test", i, None) for i in range(2)])
    put(root / "__MACOSX/Annotations/._train.json", b"\0\5\x16\7")
    return root


def _coco(root: Path, folder: str, numbers: list[int]) -> None:
    for number in numbers:
        put(root / folder / f"COCO_{folder}_{number:012d}.jpg", picture(number, "JPEG"))


def okvqa(root: Path) -> Path:
    for split, number in (("train", 11), ("val", 12)):
        _coco(root, f"{split}2014", [number])
        question = {"image_id": number, "question": "What sport can you use this for?", "question_id": number * 10 + 5}
        answers = [{"answer_id": i, "raw_answer": "racing", "answer_confidence": "yes", "answer": "race"} for i in range(1, 11)]
        annotation = {"image_id": number, "question_id": number * 10 + 5, "question_type": "four", "confidence": 3, "answer_type": "other"}
        head = {"info": {"version": "1.0"}, "task_type": "Open-Ended", "data_type": "mscoco", "data_subtype": f"{split}2014", "license": {}}
        put(root / f"OpenEnded_mscoco_{split}2014_questions.json", head | {"questions": [question]})
        put(
            root / f"mscoco_{split}2014_annotations.json",
            head | {"annotations": [annotation | {"answers": answers}], "question_types": {"four": "Sports"}},
        )
    return root


def vqav2(root: Path) -> Path:
    for split, number in (("train", 9), ("val", 42)):
        _coco(root, f"{split}2014", [number])
        head = {"info": {}, "license": {}, "data_subtype": f"{split}2014", "data_type": "mscoco"}
        questions = [{"image_id": number, "question": f"What is {i}?", "question_id": number * 1000 + i} for i in range(2)]
        annotations = [
            {
                "question_type": "what is",
                "multiple_choice_answer": "net",
                "answers": [{"answer": "net", "answer_confidence": "maybe", "answer_id": i} for i in range(1, 11)],
                "image_id": number,
                "answer_type": "other",
                "question_id": number * 1000 + i,
            }
            for i in range(2)
        ]
        put(root / f"v2_OpenEnded_mscoco_{split}2014_questions.json", head | {"task_type": "Open-Ended", "questions": questions})
        put(root / f"v2_mscoco_{split}2014_annotations.json", head | {"annotations": annotations})
    _coco(root, "test2015", [7])
    test = {"info": {}, "questions": [{"image_id": 7, "question": "What?", "question_id": 7000}]}
    put(root / "v2_OpenEnded_mscoco_test2015_questions.json", test)
    put(root / "v2_OpenEnded_mscoco_test-dev2015_questions.json", test)
    return root


def _challenge(name: str, split: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"dataset_name": name, "dataset_split": split, "dataset_version": "1.0", "data": items}


def infovqa(root: Path, qas: str = "", pictures: str = "infographicsvqa_images", spelled: str = "infographicsVQA") -> Path:
    for number, split in enumerate(("train", "val", "test"), 20471):
        folder = pictures or f"infographicVQA_{split}_v1.0_images"
        put(root / folder / f"{number}.jpeg", picture(number, "JPEG"))
        item = {
            "questionId": number * 3,
            "question": "Which social platform has heavy female audience?",
            "image_local_name": f"{number}.jpeg",
            "image_url": "https://example.org/a.jpeg",
            "ocr_output_file": f"{number}.json",
            "data_split": split,
        }
        answers = {} if split == "test" else {"answers": ["pinterest", "Pinterest"]}
        if split == "val":
            put(root / qas / f"{spelled}_val_v1.0.json", _challenge("infographicVQA", split, [item | answers]))
            answers |= {"answer_type": ["single span"], "operation/reasoning": []}
        put(
            root / qas / f"{spelled}_{split}_v1.0{'_withQT' if split == 'val' else ''}.json",
            _challenge("infographicVQA", split, [item | answers]),
        )
    return root


def docvqa(root: Path, newer: bool = False) -> Path:
    for number, split in enumerate(("train", "val", "test"), 337):
        name = f"xnbl{number}_1.png"
        put(root / ("spdocvqa_images" if newer else f"{split}/documents") / name, picture(number))
        item = {"questionId": number, "question": "what is the date?", "image": f"documents/{name}", "docId": 279, "data_split": split}
        item |= {} if split == "test" else {"answers": ["1/8/93"]}
        typed = "_withQT" if newer and split != "test" else ""
        folder = "spdocvqa_qas" if newer else split
        put(root / folder / f"{split}_v1.0{typed}.json", _challenge("SP-DocVQA" if newer else "docvqa", split, [item]))
        if not newer:
            put(root / split / "ocr_results" / f"xnbl{number}_1.json", {"status": "Succeeded", "recognitionResults": [{"page": 1}]})
    return root


def scienceqa(root: Path, images: str = "") -> Path:
    item = {
        "question": "Which is north?",
        "choices": ["Ohio", "Iowa"],
        "answer": 1,
        "hint": "",
        "image": "image.png",
        "task": "closed choice",
    }
    problems = {
        "1": item | {"split": "train"},
        "2": item | {"split": "train", "image": None},
        "3": item | {"split": "val", "hint": "Look at the map."},
        "4": item | {"split": "test"},
        "5": item | {"split": "test", "image": None, "hint": "No map."},
    }
    for number, split in (("1", "train"), ("3", "val"), ("4", "test")):
        put(root / images / split / number / "image.png", picture(int(number)))
    put(root / "problems.json", problems)
    put(root / "pid_splits.json", {"train": ["1", "2"], "val": ["3"], "test": ["4", "5"], "minitrain": ["1"]})
    return root


def textvqa(root: Path) -> Path:
    for number, split in enumerate(("train", "val", "test")):
        name = f"0054c91397f2fe0{number}"
        put(root / ("test_images" if split == "test" else "train_images") / f"{name}.jpg", picture(number, "JPEG"))
        item = {"question": "what brand?", "image_id": name, "image_classes": ["Camera"], "question_id": number, "set_name": split}
        item |= {} if split == "test" else {"answers": ["dakota"] * 10}
        head = {"dataset_type": split, "dataset_name": "textvqa", "dataset_version": "0.5.1"}
        put(root / f"TextVQA_0.5.1_{split}.json", head | {"data": [item]})
    return root


def gqa(root: Path) -> Path:
    def asked(number: int, answer: str | None = "yes") -> dict[str, Any]:
        put(root / "images" / f"{number}.jpg", picture(number, "JPEG"))
        answered = {"answer": answer, "fullAnswer": "Yes."} if answer else {}
        return {
            "question": "Is the sky dark?",
            "imageId": str(number),
            "isBalanced": True,
            "semantic": [{"operation": "select"}],
        } | answered

    put(root / "train_balanced_questions.json", {"02930152": asked(1), "02930153": asked(2)})
    put(root / "train_all_questions/train_all_questions_0.json", {"02930152": asked(1), "02930159": asked(1)})
    put(root / "val_balanced_questions.json", {"05451384": asked(3)})
    put(root / "testdev_balanced_questions.json", {"20118": asked(4), "20119": asked(4)})
    put(root / "test_balanced_questions.json", {"30000": asked(5, None)})
    put(root / "challenge_all_questions.json", {"40000": asked(6, None)})
    put(root / "train_sceneGraphs.json", {"1": {"width": 24, "height": 16, "objects": {}}})
    return root


def chartqa(root: Path) -> Path:
    top = root / "ChartQA Dataset"
    for number, split in enumerate(("train", "val", "test")):
        name = f"4169905100534{number}.png"
        put(top / split / "png" / name, picture(number))
        put(top / split / "annotations" / f"4169905100534{number}.json", {"models": []})
        put(top / split / "tables" / f"4169905100534{number}.csv", "Entity,Value\na,1\n")
        for made in ("human", "augmented"):
            put(top / split / f"{split}_{made}.json", [{"imgname": name, "query": f"How many {made}?", "label": "14"}])
    return root


def aokvqa(root: Path) -> Path:
    for number, split in enumerate(("train", "val", "test"), 299207):
        put(root / f"{split}2017" / f"{number:012d}.jpg", picture(number, "JPEG"))
        item = {"split": split, "image_id": number, "question_id": f"22MexNkB{number}", "question": "What is it?"}
        item |= {"choices": ["skateboarder", "train", "delivery", "cab"]}
        if split != "test":
            item |= {"correct_choice_idx": 3, "direct_answers": ["ride"] * 6 + ["bus"] * 4, "difficult_direct_answer": False}
        put(root / f"aokvqa_v1p0_{split}.json", [item])
    return root


def coco_captions(root: Path, year: str = "2017") -> Path:
    for number, split in enumerate(("train", "val"), 391895):
        name = f"{number:012d}.jpg" if year == "2017" else f"COCO_{split}{year}_{number:012d}.jpg"
        put(root / f"{split}{year}" / name, picture(number, "JPEG"))
        images = [{"license": 3, "file_name": name, "coco_url": "http://images.example.org/1", "height": 16, "width": 24, "id": number}]
        captions = [{"image_id": number, "id": 7 + i, "caption": f"A man with a red helmet {i}. "} for i in range(5)]
        put(root / f"annotations/captions_{split}{year}.json", {"info": {}, "licenses": [], "images": images, "annotations": captions})
        boxes = [{"image_id": number, "id": 9, "bbox": [0, 0, 1, 1], "category_id": 1}]
        put(root / f"annotations/instances_{split}{year}.json", {"info": {}, "images": images, "annotations": boxes, "categories": []})
    return root


def karpathy(root: Path) -> Path:
    images = []
    for number, split in enumerate(("train", "restval", "val", "test"), 1):
        folder = "train2014" if split == "train" else "val2014"
        name = f"COCO_{folder}_{number:012d}.jpg"
        put(root / folder / name, picture(number, "JPEG"))
        sentences = [{"tokens": ["a", "dog"], "raw": f"A dog {i}.", "imgid": number, "sentid": i} for i in range(5)]
        images.append({"filepath": folder, "filename": name, "imgid": number, "split": split, "sentences": sentences, "cocoid": number})
    put(root / "dataset_coco.json", {"images": images, "dataset": "coco"})
    return root


def mmbench(root: Path) -> Path:
    """MMBench_DEV_EN.tsv: pictures in base64; row 1 shows row 0's picture, and a copy with its options moved round does too."""
    header = ["index", "question", "hint", "A", "B", "C", "D", "answer", "category", "image", "source", "l2-category", "comment", "split"]
    rest = ["identity", "", "s", "l2", "c", "dev"]
    content = base64.b64encode(picture(1, "JPEG")).decode()
    rows = [
        ["0", "Which is it?", "Look.", "cat", "dog", "", "", "B", *rest],
        ["1", 'Which "one"?', "", "red", "blue", "green", "", "C", *rest],
        ["1000000", "Which is it?", "Look.", "dog", "cat", "", "", "A", *rest],
    ]
    for row, image in zip(rows, (content, "0", "0")):
        row[9] = image
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' if '"' in cell else cell for cell in row] for row in [header, *rows]]
    return put(root / "MMBench_DEV_EN.tsv", "\n".join("\t".join(row) for row in quoted) + "\n")


def _table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as Parquet (or Arrow, as `datasets` writes it: a stream), the pictures as the hub's image feature."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(rows)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return path
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    return path


def shown(number: int) -> dict[str, Any]:
    return {"bytes": picture(number), "path": None}


def scienceqa_hub(root: Path) -> Path:
    """derek-thomas/ScienceQA: no ids, the answer as a place, half of the questions without a picture."""
    rest = {"task": "closed choice", "grade": "grade2", "subject": "social science", "lecture": "", "solution": "", "hint": ""}
    for number, split in enumerate(("train", "validation", "test"), 1):
        rows = [
            {"image": shown(number), "question": "Which is north?", "choices": ["Ohio", "Iowa"], "answer": 1} | rest | {"hint": "Look."},
            {"image": None, "question": "Which is a noun?", "choices": ["run", "cat"], "answer": 0} | rest,
        ]
        _table(root / f"data/{split}-00000-of-00001-1a2b3c.parquet", rows)
    return root


def mmmu(root: Path) -> Path:
    """MMMU/MMMU: a folder a configuration, several pictures, options as text, an open question, a test without answers."""
    nothing = {f"image_{i}": None for i in range(3, 8)}
    for split in ("dev", "validation", "test"):
        row = {"id": f"{split}_Art_1", "question": "<image 1> Which?", "options": "['a cat', \"Ohm's law\"]", "explanation": ""}
        row |= {
            "image_1": shown(1),
            "image_2": shown(2),
            **nothing,
            "answer": "?" if split == "test" else "B",
            "question_type": "multiple-choice",
        }
        rest = {"id": f"{split}_Art_2", "options": "['x', 'y']", "image_2": None, "answer": "?" if split == "test" else "A"}
        opened = {
            "id": f"{split}_Art_3",
            "options": "[]",
            "image_2": None,
            "answer": "?" if split == "test" else "7",
            "question_type": "open",
        }
        _table(root / f"Art/{split}-00000-of-00001.parquet", [row, row | rest, row | opened])
    return root


def mmstar(root: Path) -> Path:
    """Lin-Chen/MMStar: one file, the options in the question's text, the picture as bytes."""
    question = "Which option describes it?\nOptions: A: A cat, sitting, B: A dog, C: Two, or three, D: None"
    rows = [
        {"index": i, "question": question, "image": picture(i), "answer": "BD"[i], "category": "c", "meta_info": {"split": "val"}}
        for i in range(2)
    ]
    _table(root / "mmstar.parquet", rows)
    return root


def saved_to_disk(root: Path) -> Path:
    """What `DatasetDict.save_to_disk` writes."""
    put(root / "dataset_dict.json", {"splits": ["train", "test"]})
    for number, split in enumerate(("train", "test")):
        put(
            root / split / "dataset_info.json",
            {"features": {"image": {"_type": "Image"}, "question": {"dtype": "string", "_type": "Value"}}},
        )
        put(root / split / "state.json", {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": split})
        rows = [{"image": shown(number), "question": "What?", "answers": ["red"] * 10, "question_id": 5 + i} for i in range(2)]
        _table(root / split / "data-00000-of-00001.arrow", rows)
    return root


def imagefolder(root: Path) -> Path:
    for split in ("train", "test"):
        put(root / split / "a" / "0.png", picture(1))
        put(root / split / "1.png", picture(2))
        rows = [{"file_name": "a/0.png", "question": "What?", "answer": "red"}, {"file_name": "1.png", "question": "What?", "answer": 7}]
        put(root / split / "metadata.jsonl", "\n".join(map(json.dumps, rows)))
    return root


def llava(root: Path) -> Path:
    def turns(*texts: str) -> list[dict[str, str]]:
        return [{"from": "human" if i % 2 == 0 else "gpt", "value": text} for i, text in enumerate(texts)]

    put(root / "coco/train2017/000000033471.jpg", picture(3, "JPEG"))
    image = "coco/train2017/000000033471.jpg"
    rows = [
        {
            "id": "000000033471",
            "image": image,
            "conversations": turns("<image>\nWhat are the colors?", "White and red.", "What else?", "Blue."),
        },
        {"id": "000000033471", "image": image, "conversations": turns("What is it?\n<image>", "A bus.")},
        {"id": "t", "conversations": turns("hi", "hello")},
    ]
    put(root / "llava_v1_5_mix665k.json", rows)
    return root


def messages(root: Path) -> Path:
    put(root / "7.jpg", picture(7, "JPEG"))
    asked = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "<image>What is it?"}]
    parts = [{"type": "image", "image": "7.jpg"}, {"type": "text", "text": "And this?"}]
    rows = [
        {"messages": [*asked, {"role": "assistant", "content": "A bus."}], "images": ["7.jpg"]},
        {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": [{"type": "text", "text": "A car."}]}]},
    ]
    put(root / "chats.jsonl", "\n".join(map(json.dumps, rows)))
    return root


def webdataset(root: Path) -> Path:
    import tarfile

    root.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        with tarfile.open(root / f"{split}-000000.tar", "w") as tar:
            for i in range(2):
                fields = {"question": f"What color is {i}?", "answers": ["red"]}
                for ending, content in ((".jpg", picture(i, "JPEG")), (".json", json.dumps(fields).encode())):
                    member = tarfile.TarInfo(f"{split}/00000{i}{ending}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return root


def captioned_shard(root: Path) -> Path:
    import tarfile

    root.mkdir(parents=True, exist_ok=True)
    with tarfile.open(root / "00000.tar.gz", "w:gz") as tar:
        for i in range(2):
            for ending, content in ((".png", picture(i)), (".txt", f"A bus {i} on a street.".encode())):
                member = tarfile.TarInfo(f"00000{i}{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return root
