"""New samples that practise a skill."""


def propose(task, question) -> list[dict]:
    return []
