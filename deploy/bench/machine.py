"""What the kernel says of processes: processor time and memory. Linux only."""

import os
from collections.abc import Mapping
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12
"""Places of `utime` and `stime` behind the name in `/proc/<pid>/stat`."""


def cpu_seconds(pid: int) -> float:
    """Of the process and its living children; 0 for one that has ended."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    own = (int(fields[USER]) + int(fields[SYSTEM])) / TICKS
    return own + sum(map(cpu_seconds, _children(pid)))


def resident_megabytes(pid: int) -> float:
    """Of the process and its living children."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0.0
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")] or ["VmRSS: 0 kB"]
    return int(line.split()[1]) / 1024 + sum(map(resident_megabytes, _children(pid)))


def all_cpu(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: cpu_seconds(pid) for name, pid in pids.items()}


def all_memory(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: resident_megabytes(pid) for name, pid in pids.items()}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in (PROC / str(pid) / "task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:
            continue
    return found
