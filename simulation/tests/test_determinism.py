"""The same seed is the same run: in another process, with another hash seed, over other stores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulation.cases import case_of_seed, run_case
from simulation.stores import Stores

ROOT = Path(__file__).parents[2]
SEEDS = 100
HASHES = """
import json, sys
from simulation.cases import case_of_seed, run_case
from simulation.stores import Stores
stores = Stores()
json.dump({seed: run_case(case_of_seed(seed), stores).digest for seed in range(int(sys.argv[1]))}, sys.stdout)
"""


def hashes(hash_seed: str) -> dict[str, Any]:
    """The trace hashes of the first seeds, as another process finds them."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", HASHES, str(SEEDS)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_hundred_seeds_have_the_same_trace_in_two_processes_with_different_hash_seeds() -> None:
    first, second = hashes("1"), hashes("4711")
    assert len(set(first.values())) == SEEDS
    assert first == second


@pytest.mark.parametrize("seed", [2, 5, 9])
def test_a_seed_leaves_the_same_trace_over_files_as_in_memory(seed: int, tmp_path: Path) -> None:
    memory, files = Stores(), Stores("sqlite", tmp_path)
    try:
        assert run_case(case_of_seed(seed), memory).digest == run_case(case_of_seed(seed), files).digest
    finally:
        memory.close()
        files.close()


def test_a_seed_is_the_same_after_others_were_played() -> None:
    stores = Stores()
    alone = run_case(case_of_seed(7), Stores()).digest
    for seed in range(4):
        run_case(case_of_seed(seed), stores)
    assert run_case(case_of_seed(7), stores).digest == alone
