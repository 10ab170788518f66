"""Samples with rendered pictures in a store: the real renderer draws them, nothing is asked of a frontier model."""

import json

from data.images import ImageStore, image_row, png_bytes
from data.picture_specs.spec import PictureSpec
from data.registry import IMAGE_GENERATORS
from data.store import Store

BAR = {
    "width": 320,
    "height": 200,
    "mark": "bar",
    "encoding": {"x": {"field": "city", "sort": None}, "y": {"field": "visitors", "type": "quantitative"}},
}
VISITORS = {
    "kind": "vega-lite",
    "title": "Visitors in 2024, thousands",
    "columns": ["city", "visitors"],
    "rows": [["Oslo", 31], ["Bergen", 18], ["Bodø", 24], ["Tromsø", 27.5]],
    "vega_lite": json.dumps(BAR),
}
RECEIPT = {
    "kind": "document",
    "title": "Corner Café",
    "columns": ["line", "amount"],
    "rows": [["14 March 2026, table 7", ""], ["Coffee", "3.50"], ["Cake", "4.00"], ["Total", "7.50"]],
}
FLOW = {
    "kind": "diagram",
    "title": "An order's way",
    "columns": ["from", "to", "label"],
    "rows": [
        ["Order", "Check", ""],
        ["Check", "Ship", "paid"],
        ["Check", "Remind", "unpaid"],
        ["Remind", "Check", "again"],
        ["Ship", "Done", ""],
    ],
}
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
RAIN = {
    "kind": "table",
    "title": "Rain in mm",
    "columns": ["month", "Oslo", "Bergen"],
    "rows": [[month, 40 + 7 * i % 55, 130 + 23 * i % 90] for i, month in enumerate(MONTHS)],
}
LOWEST = {"op": "argmin", "column": "visitors", "label": "city"}
SAMPLES = [  # spec, expression, question, answer
    (VISITORS, LOWEST, "Which city had the fewest visitors?", "Bergen"),
    (VISITORS, LOWEST, "Which city has the shortest bar?", "Oslo"),
    (RECEIPT, {"op": "value", "column": "amount", "label": "line", "of": ["Cake"]}, "How much is the cake?", "4.00"),
    (RAIN, {"op": "argmax", "column": "Bergen", "label": "month"}, "In which month does it rain most in Bergen?", "April"),
    (FLOW, None, "What follows Check if the order is not paid?", "Remind"),
]


def add(store: Store, images: ImageStore) -> list[int]:
    """SAMPLES as new samples of the store's first failure, each with its picture; their ids."""
    failure = store.rows("failures_to_practise", failure_ids=None, cluster_ids=None, selected=None, round=1, limit=1)[0]
    renderer = IMAGE_GENERATORS.make("rendered", {"seconds": 60})
    specs = [PictureSpec.model_validate(spec) for spec, *_ in SAMPLES]
    pictures = renderer.draw([spec.model_dump_json() for spec in specs], [spec.seed for spec in specs])
    renderer.close()
    infos = [images.add(picture if isinstance(picture, bytes) else png_bytes(picture)) for picture in pictures]
    rows = [
        {
            "key": f"rendered-{i}",
            "round": 1,
            "failure_id": failure["failure_id"],
            "diagnosis_id": failure["diagnosis_id"],
            "dataset": failure["dataset"],
            "error_type": failure["error_type"],
            "route": "new_image",
            "question": question,
            "choices": [],
            "answer": answer,
            "picture_spec": spec.model_dump(),
            "answer_from": expression,
            "seed": spec.seed,
            "frontier": "pocket-teacher",
        }
        for i, (spec, (_, expression, question, answer)) in enumerate(zip(specs, SAMPLES))
    ]
    with store.write() as write:
        write.insert("image", [image_row(info) for info in infos])
        ids = sorted(write.insert("sample", rows, returning="sample_id"))
        recipe = renderer.recipe()
        drawn = [
            {"sample_id": sample_id, "image": info.sha256, "generator": "rendered", "seed": spec.seed, "recipe": recipe}
            for sample_id, info, spec in zip(ids, infos, specs)
        ]
        write.insert("drawing", drawn)
        write.touch(ids)
    return ids
