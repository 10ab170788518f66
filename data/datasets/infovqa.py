"""InfographicVQA: questions on infographics, answered from their text and layout (Mathew et al., arXiv 2104.12756).

The files as they are unpacked: infographicsVQA_train_v1.0.json, infographicsVQA_val_v1.0_withQT.json and infographicsVQA_test_v1.0.json
(also in infographicsvqa_qas/, also spelled infographicVQA_…), and the pictures in infographicsvqa_images/ (or a folder a split,
infographicVQA_train_v1.0_images/). The test split has no answers, so val is what is measured. A real file begins:

{"dataset_name": "infographicVQA", "dataset_split": "train", "dataset_version": "1.0", "data": [
  {"questionId": 65718, "question": "Which social platform has heavy female audience?", "image_local_name": "20471.jpeg",
   "image_url": "...", "ocr_output_file": "20471.json", "answers": ["pinterest"], "data_split": "train"}, ...]}
"""

from pathlib import Path

from data.datasets._challenge import ChallengeJson
from data.datasets._reading import FolderOptions, benchmark


class InfoVqa(ChallengeJson):
    class Options(FolderOptions):
        pass

    usual = benchmark("infovqa", "InfographicVQA", "infovqa", "anls", "Mathew et al. 2022, InfographicVQA, arXiv 2104.12756")
    expected = "infographicsVQA_…json in the layout of the DocVQA challenge, whose items have an image_local_name"
    picture_field = "image_local_name"
    places = ("infographicsvqa_images", "images")

    def picture(self, name: str, official: str) -> Path:
        return self.pictures.find(name, "infographicsvqa_images", f"infographicVQA_{official}_v1.0_images")
