"""Where real inputs lie; without them a module of tests is skipped, and says so."""

import os
from pathlib import Path

import pytest


def beside(name: str) -> Path:
    """What lies beside the folder that `LANGNGHE_CORPUS` names; call it as a module is loaded."""
    folder = os.environ.get("LANGNGHE_CORPUS", "")
    if not folder:
        pytest.skip("LANGNGHE_CORPUS names no folder", allow_module_level=True)
    found = Path(folder).parent / name
    if not found.exists():
        pytest.skip(f"no {name} lies beside the corpus", allow_module_level=True)
    return found
