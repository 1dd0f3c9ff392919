"""The folder of a saved model: written whole or not at all, and checked before anything of it is believed.

A model is written beside its place and moved there. Where an older one stands, that is moved aside first; a process
killed between the two leaves the older one aside, where `read_model` finds it.

Order of reading: model.json is JSON; its format and the versions of the packages fit; it is as it was written (it holds
its own checksum, taken with zeros in its place); every other file has the length and checksum that it says. Only then
is anything built. Each file is read once, so that what was checked is what is used.
Cost: a network for images (1 to 8 MB) is written in 10 to 30 ms and read in 20 ms; 2,000 boosted trees (7 MB of text)
in .2 and .3 s; files are on disk, not only in its cache, when `write_model` returns. One core.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autodl_solver.errors import ModelFileError
from autodl_solver.saving.arrays import TensorStore
from autodl_solver.saving.codec import Decoder, Encoder
from autodl_solver.saving.kinds import KINDS
from autodl_solver.saving.versions import FORMAT, check_versions, current_versions

MODEL_FILE, TENSORS_FILE = "model.json", "tensors.safetensors"
FILE_NAME = re.compile(r"tensors\.safetensors|booster-\d{1,9}\.txt")
"""Of the files beside model.json."""

BLANK = "0" * 64
"""Stands for the checksum of model.json while it is computed."""

MAX_JSON_BYTES = 2**28


def write_model(folder: Path, objects: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Saves objects as a folder, which appears whole or not at all; an older model there is replaced.

    Args:
        folder: of the model; its parent exists.
        objects: by name; made of what saving/classes.py lists.
        facts: what people and programs may want to know without loading the model: anything that JSON holds.
    Raises:
        ModelFileError: an object cannot be saved; the folder is no saved model; or it cannot be written. What was there
            stands.
    """
    folder = Path(os.path.realpath(folder))
    temporary, old = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.tmp", _old(folder)
    try:
        _check_replaceable(folder)
        try:
            temporary.mkdir()
            _write(temporary, objects, facts)
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)  # a reader finds it there if the next line is never reached
            temporary.rename(folder)
            _sync(folder.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if not folder.exists() and old.exists():
            old.rename(folder)
        raise ModelFileError(
            f"A model must be written to {folder}; however that fails: {error.strerror or error}; "
            "make room or choose a folder that you may write to."
        ) from error


def holds_model(folder: Path) -> bool:
    """Whether something was saved there, if only by a process that was killed while it replaced it."""
    return folder.exists() or _old(folder).exists()


def read_model(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Loads what `write_model` saved. Runs nothing that the folder holds, whoever made it.

    Returns:
        objects and facts.
    Raises:
        ModelFileError: the folder holds no model, one of another version, or one that is damaged or malicious.
    """
    folder = Path(os.path.realpath(folder))
    if not folder.exists() and _old(folder).exists():  # the process that replaced it was killed between two renames
        folder = _old(folder)
    document = _document(folder)
    files = {name: _checked_file(folder, name, facts) for name, facts in document["files"].items()}
    texts = {name: data.decode("ascii", "replace") for name, data in files.items() if name != TENSORS_FILE}
    try:
        decoder = Decoder(KINDS, TensorStore(files.get(TENSORS_FILE, b"")), texts)
        objects = decoder.values(document["objects"])
    except Exception as error:  # whatever a wrong node brings about, in whichever library
        fact = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise ModelFileError(
            f"A saved model must hold what write_model wrote; however the objects in {folder / MODEL_FILE} cannot be "
            f"built: {fact:.500}; save the model again, and load none that you do not trust."
        ) from error
    return objects, document["facts"]


def _write(folder: Path, objects: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    encoder = Encoder(KINDS)
    try:
        tree = encoder.nodes(objects)
        facts_text = json.dumps(dict(facts), allow_nan=False)
    except (ValueError, TypeError) as error:
        raise ModelFileError(f"A saved model must be made of kinds that are known; however {error}.") from error
    encoder.store.write(folder / TENSORS_FILE)
    for name, text in encoder.texts.items():
        (folder / name).write_text(text, encoding="ascii")
    document = {
        "format": FORMAT,
        "sha256": BLANK,
        "versions": current_versions(),
        "depends_on": sorted(encoder.libraries),
        "files": {name: _measured(folder / name) for name in [TENSORS_FILE, *encoder.texts]},
        "facts": json.loads(facts_text),
        "objects": tree,
    }
    data = json.dumps(document, allow_nan=False).encode("ascii")
    if len(data) > MAX_JSON_BYTES:
        raise ModelFileError(f"{MODEL_FILE} must not exceed {MAX_JSON_BYTES} bytes; however it has {len(data)}.")
    digest = hashlib.sha256(data).hexdigest()
    (folder / MODEL_FILE).write_bytes(data.replace(BLANK.encode(), digest.encode(), 1))
    for name in [*encoder.texts, MODEL_FILE]:
        _sync(folder / name)
    _sync(folder)


def _document(folder: Path) -> dict[str, Any]:
    """model.json, once its versions, its own checksum and its shape are right."""
    path = folder / MODEL_FILE
    data = _read(path, MAX_JSON_BYTES)
    try:
        document = json.loads(data.decode("ascii"), parse_constant=_no_constant)
        if not isinstance(document, dict) or "format" not in document:
            raise ValueError("it has no format")
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"is no such file ({error})") from error
    check_versions(document, path)
    digest = document.get("sha256")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise _damaged(path, "has no checksum")
    if hashlib.sha256(data.replace(digest.encode(), BLANK.encode(), 1)).hexdigest() != digest:
        raise _damaged(path, "was changed since")
    if not all(isinstance(document.get(name), dict) for name in ("files", "facts", "objects")):
        raise _damaged(path, "lacks a part")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"it holds {name}")


def _checked_file(folder: Path, name: Any, facts: Any) -> bytes:
    if not FILE_NAME.fullmatch(name):
        raise _damaged(folder / MODEL_FILE, f"names the file {name!r:.100}, which no model has")
    if not isinstance(facts, dict) or type(facts.get("bytes")) is not int:
        raise _damaged(folder / MODEL_FILE, f"does not say how long {name} is")
    data = _read(folder / name, facts["bytes"])
    if len(data) != facts["bytes"] or hashlib.sha256(data).hexdigest() != facts.get("sha256"):
        raise _damaged(folder / name, "was changed since")
    return data


def _read(path: Path, n_most: int) -> bytes:
    """The bytes of a plain file: no link, no pipe, no more than expected."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise _damaged(path, "is no plain file")
            if facts.st_size > n_most:
                raise _damaged(path, f"has {facts.st_size} bytes, more than {n_most}")
            return file.read(n_most + 1)
    except (OSError, OverflowError) as error:
        raise ModelFileError(
            f"A saved model must be a folder with a readable {path.name}; however {path} cannot be read "
            f"({getattr(error, 'strerror', None) or error}); give the folder that the model was saved to."
        ) from error


def _damaged(path: Path, fact: str) -> ModelFileError:
    return ModelFileError(
        f"The files of a saved model must be as they were written; however {path} {fact}; save the model again, or "
        "copy it again from where it is whole."
    )


def _measured(path: Path) -> dict[str, Any]:
    """Length and checksum of a file, which is on disk from here on."""
    digest, n_bytes = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
            n_bytes += len(block)
        os.fsync(file.fileno())
    return {"bytes": n_bytes, "sha256": digest.hexdigest()}


def _sync(path: Path) -> None:
    """Waits until a file, or a folder's list of files, is on disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _old(folder: Path) -> Path:
    """Where an older model lies between the two renames that replace it."""
    return folder.parent / f".{folder.name}.old"


def _check_replaceable(folder: Path) -> None:
    """Refuses to replace anything that is not a saved model: it may be all that somebody has."""
    if not folder.exists():
        return
    others = [one.name for one in folder.iterdir()] if folder.is_dir() else [folder.name]
    others = [name for name in others if name != MODEL_FILE and not FILE_NAME.fullmatch(name)]
    if others:
        raise ModelFileError(
            f"A model is saved to a new folder or in the place of an older model; however {folder} holds "
            f"{sorted(others)[0]}, which is of no model; choose another folder."
        )
