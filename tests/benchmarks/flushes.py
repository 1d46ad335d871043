"""Flushes that take as long as is said: what a disk costs on which a durable commit is durable.

A disk may answer in microseconds, because it has a battery or because it only says so, and every
commit seems free. `later` compiles a small library that lets `fsync` and `fdatasync` of a process,
and of all that it starts, return so much later than the disk itself lets them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_NAME = "SLUIS_FLUSH_MICROSECONDS"
_SOURCE = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int later(const char *name, int file) {{
    const char *said = getenv("{_NAME}");
    long micro = said ? atol(said) : 0;
    struct timespec pause = {{micro / 1000000, micro % 1000000 * 1000}};
    int (*flush)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int done = flush(file);
    nanosleep(&pause, 0);
    return done;
}}
int fsync(int file) {{ return later("fsync", file); }}
int fdatasync(int file) {{ return later("fdatasync", file); }}
"""
_PAGE, _TURNS = b"p" * 4096, 200


@contextmanager
def later(milliseconds: float) -> Iterator[Mapping[str, str]]:
    """The environment of a process whose flushes take so much longer; needs `cc`."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # a server under another account loads it too
        library = Path(folder) / "later.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", library, "-ldl"],
            input=_SOURCE.encode(), check=True,
        )  # fmt: skip
        said = {"LD_PRELOAD": str(library), _NAME: str(round(1000 * milliseconds))}
        yield {**os.environ, **said}


def measured(folder: Path) -> float:
    """Milliseconds that a flush of one new page takes in a folder, the median of many."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_TURNS):
            file.write(_PAGE)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)
