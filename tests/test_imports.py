"""What import-linter's contracts in pyproject.toml don't say: no module imports itself by way of others."""

import graphlib

import grimp


def test_no_circle_of_imports():
    """Imports inside functions and those for type checkers alone count too: a rule has one home, and modules are read in one order."""
    graph = grimp.build_graph("curation", "data", "models", cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imported) > 200
    graphlib.TopologicalSorter(imported).prepare()  # CycleError names the modules of a circle in their order
