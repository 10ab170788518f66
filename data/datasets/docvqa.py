"""DocVQA, single page: questions on scanned documents (Mathew et al., arXiv 2007.00398), in both layouts in circulation.

- train/train_v1.0.json, val/val_v1.0.json, test/test_v1.0.json, each beside a folder documents/;
- spdocvqa_qas/{train,val}_v1.0_withQT.json and test_v1.0.json, beside spdocvqa_images/.

The test split has no answers, so val is what is measured. A real item:

{"questionId": 337, "question": "what is the date mentioned in this letter?", "image": "documents/xnbl0037_1.png", "docId": 279,
 "ucsf_document_id": "xnbl0037", "ucsf_document_page_no": "1", "answers": ["1/8/93"], "data_split": "train"}
"""

from pathlib import Path

from data.datasets._challenge import ChallengeJson
from data.datasets._reading import FolderOptions, benchmark


class DocVqa(ChallengeJson):
    class Options(FolderOptions):
        pass

    usual = benchmark("docvqa", "DocVQA", "docvqa", "anls", "Mathew et al. 2021, DocVQA, arXiv 2007.00398")
    expected = "…_v1.0.json in the layout of the DocVQA challenge, whose items have an image in documents/"
    picture_field = "image"

    def picture(self, name: str, official: str) -> Path:
        """Lists say documents/NAME; newer archives have the pictures in spdocvqa_images/."""
        file = name.replace("\\", "/").rpartition("/")[2]
        for place in ("spdocvqa_images", "images"):
            if (self.pictures.root / place / file).exists():
                return self.pictures.find(file, place)
        return self.pictures.find(name, official, f"{official}/{official}")
