"""The wheel: built, looked through, installed into a fresh environment outside the tree, and used.

What people install holds the three packages and nothing that could turn noise off.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import PACKAGES, ROOT, module, sources, syntax, where

pytestmark = pytest.mark.slow

MANIFESTS = ROOT / "tests" / "fixtures" / "manifests"
SWITCH = re.compile(
    r"(no|without|skip|disable|zero|fake|off|bypass|raw|plain|unsafe|insecure|debug)_?(noise|noised|noisy|dp|privacy)"
    r"|(noise|privacy|dp)_?(off|free|less|disabled|bypass|skipped|override|enabled)"
    r"|(exact|true|real|raw|unnoised)_?(mode|answers?|results?|release)"
    r"|(seed|set_seed|noise_seed|rng_seed|mock_\w+|test_mode|testing)"
)
INSIDE = {"ExactAnswer", "ExactAnswers", "exact_answer", "exact_answers"}  # known to the enclave
SAMPLING = {"seed", "$seed"}  # of the hash that samples groups; it has no part in noise


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*command, "--directory", str(folder)], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel; the libraries are those that the tests run on."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    subprocess.run([*install, "--python", str(python), str(wheel)], check=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def _run(installed: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the new environment, in a folder that holds nothing of the tree."""
    home = installed / "home"
    home.mkdir(exist_ok=True)
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "SLUIS_HOME": str(home / "sluis")}
    program = str(installed / "env" / "bin" / command[0])
    return subprocess.run(
        [program, *command[1:]], cwd=home, env=kept, capture_output=True, text=True, timeout=120
    )


def test_the_wheel_holds_the_packages_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    assert not [n for n in names if re.search(r"(^|/)(tests?|conftest|test_\w+)(/|\.py$)", n)]
    assert {n for n in names if n.endswith(".py")} == {str(p.relative_to(ROOT)) for p in sources()}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_wheel_holds_the_page_of_every_code(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if n.startswith("gateway/http/pages/")}
    pages = (ROOT / "docs" / "refusals").glob("*.md")
    assert packed == {f"gateway/http/pages/{page.name}" for page in pages}


def test_the_wheel_holds_no_switch_that_turns_noise_off() -> None:
    """No name of a function, argument, variable, setting or option speaks of leaving noise out."""
    suspects = [
        f"{where(path, node)}: {name}"
        for path in sources()
        for node, name in _names(path)
        if SWITCH.fullmatch(name.lower().strip("_-").replace("-", "_"))
        and not (name in INSIDE and module(path).startswith("queries.enclave"))
        and name not in SAMPLING
        and not module(path).startswith("gateway.demo")  # draws its source files from a seed
    ]
    assert not suspects


def _names(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node, node.name
        elif isinstance(node, ast.arg):
            yield node, node.arg
        elif isinstance(node, ast.Name):
            yield node, node.id
        elif isinstance(node, ast.Attribute):
            yield node, node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node, node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node, re.sub(r"^(SLUIS_|--)", "", node.value) if len(node.value) < 40 else ""


def test_what_is_installed_is_not_the_tree(installed: Path) -> None:
    code = "import gateway, budgets, queries; print(gateway.__file__, queries.__file__)"
    answer = _run(installed, "python", "-c", code)
    assert answer.returncode == 0, answer.stderr
    assert all(place.startswith(str(installed)) for place in answer.stdout.split())


def test_the_installed_command_says_its_version(installed: Path) -> None:
    answer = _run(installed, "sluis", "--version")
    assert answer.returncode == 0, answer.stderr
    assert re.search(r"\b\d+\.\d+\.\d+\b", answer.stdout)


@pytest.mark.parametrize("manifest", sorted(MANIFESTS.glob("*.y*ml")), ids=lambda path: path.stem)
def test_the_installed_command_checks_a_manifest(installed: Path, manifest: Path) -> None:
    answer = _run(installed, "sluis", "dataset", "check", str(manifest))
    assert answer.returncode in (0, 1), answer.stderr
    assert (answer.stdout + answer.stderr).strip()
    assert "Traceback" not in answer.stderr


def test_there_are_manifests_to_check() -> None:
    assert list(MANIFESTS.glob("*.y*ml"))


def test_the_enclave_starts_from_the_installed_wheel(installed: Path) -> None:
    """In isolated mode, as the gateway starts it: no current folder, no user's packages."""
    answer = _run(installed, "python", "-I", "-c", "import queries.enclave.worker as w; print(w)")
    assert answer.returncode == 0, answer.stderr
    assert str(installed) in answer.stdout
