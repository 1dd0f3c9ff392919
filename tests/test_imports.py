"""What an import may do: nothing. Every module of the package is imported under an audit hook; programs start light."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autodl_solver"

LIBRARIES = "numpy scipy.sparse sklearn.linear_model torch torchvision torchaudio PIL.Image google_crc32c"

# Runs in a fresh interpreter. The libraries come first, since what they do at import is their own affair.
WATCH = """
import importlib, json, logging, os, random, signal, sys, threading

libraries, modules = (argument.split() for argument in sys.argv[1:])
for name in libraries:
    importlib.import_module(name)
seen = []
WATCHED = ("socket.", "subprocess.", "os.system", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.fork",
           "os.exec", "os.posix_spawn", "os.putenv", "os.unsetenv", "shutil.", "tempfile.", "urllib.", "signal.")

def writes(mode, flags):  # os.open gives no mode
    return bool(set(mode) & set("wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))

def watch(event, arguments):
    if event.startswith(WATCHED) or (event == "open" and writes(*arguments[1:])):
        seen.append(f"{event} {arguments!r:.120}")

def state():
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    return {
        "random": hash(random.getstate()), "numpy": numpy and numpy.random.get_state()[1].tolist(),
        "torch": torch and [torch.get_num_threads(), *torch.random.get_rng_state().tolist()],
        "path": list(sys.path), "environment": dict(os.environ), "threads": threading.active_count(),
        "handlers": len(logging.getLogger().handlers), "alarm": str(signal.getsignal(signal.SIGALRM)),
        "working folder": os.getcwd(),
    }

before = state()
sys.addaudithook(watch)
for name in modules:
    importlib.import_module(name)
after = state()
print(json.dumps({"seen": seen, "changed": [key for key in before if before[key] != after[key]]}))
"""


def run_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-B", "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_has_no_side_effects() -> None:
    paths = [path.relative_to(ROOT).with_suffix("") for path in sorted(PACKAGE.rglob("*.py"))]
    modules = [".".join(path.parts).removesuffix(".__init__") for path in paths if path.name != "__main__"]
    assert json.loads(run_python(WATCH, LIBRARIES, " ".join(modules))) == {"seen": [], "changed": []}


def test_the_watch_on_imports_sees_a_side_effect(tmp_path: Path) -> None:
    (tmp_path / "careless.py").write_text(
        "import random\nrandom.seed(0)\nopen('log.txt', 'w').close()\nimport os\nos.mkdir('logs')\n"
    )
    code = f"import os, sys; os.chdir({str(tmp_path)!r}); sys.path.insert(0, {str(tmp_path)!r})\n" + WATCH
    found = json.loads(run_python(code, "", "careless"))
    assert found["changed"] == ["random"]
    assert [event.split()[0] for event in found["seen"]] == ["open", "os.mkdir"]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("autodl_solver", ["torch", "tensorflow", "pandas", "matplotlib"]),  # starts in well under a second
        ("ingestion.ingestion", ["torch", "tensorflow", "pandas", "matplotlib", "autodl_solver"]),
        ("scoring.score", ["torch", "tensorflow", "pandas", "matplotlib", "autodl_solver"]),
        ("run_local_test", ["torch", "tensorflow", "pandas", "matplotlib", "numpy"]),  # --help is quick
    ],
)
def test_an_import_stays_light(module: str, absent: list[str]) -> None:
    loaded = json.loads(run_python(f"import json, sys, {module}\nprint(json.dumps(list(sys.modules)))"))
    assert set(absent) & set(loaded) == set()
