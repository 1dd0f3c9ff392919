"""Datasets by name: the samples of this repository, those in a folder, and public ones that can be downloaded.

    samples      sample_data/NAME, always there
    --local DIR  DIR/NAME/NAME.data (AutoDL format), or DIR/NAME.zip (packed form, see packed.py), then converted
    --download   the files of `public.py`, checked by their sha256 and converted on first use

What is converted lies in the cache, never in the repository.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autodl_solver.data.examples import typical_length
from autodl_solver.data.info import DatasetInfo
from autodl_solver.data.source import RecordReader
from autodl_solver.modalities.infer import infer_modality
from benchmarks.errors import BenchmarkError
from benchmarks.packed import convert_packed
from benchmarks.public import PUBLIC, convert_public
from benchmarks.systems import ROOT

SAMPLE_DATA = ROOT / "sample_data"
SAMPLE_ROWS = 64


@dataclass(frozen=True)
class Dataset:
    """A dataset on disk: `folder` holds NAME.data and NAME.solution."""

    name: str
    folder: Path
    modality: str


@dataclass(frozen=True)
class Places:
    """Where datasets may come from."""

    cache: Path
    local: Path | None = None
    download: bool = False

    def find(self, name: str) -> Dataset:
        """The dataset of that name; converts and downloads as need be.

        Raises:
            BenchmarkError: it is in none of these places, or it is broken.
        """
        folder = self._folder(name)
        return Dataset(name, folder, modality_of(folder / f"{name}.data" / "train"))

    def names(self) -> list[str]:
        """All datasets of --local; without it, the samples."""
        base = self.local or SAMPLE_DATA
        folders = {path.parent.name for path in base.glob("*/*.data") if path.stem == path.parent.name}
        return sorted(folders | {path.stem for path in base.glob("*.zip")})

    def _folder(self, name: str) -> Path:
        converted = self.cache / "datasets"
        for folder in filter(None, (self.local and self.local / name, SAMPLE_DATA / name)):
            if is_dataset(folder, name):
                return folder
        if self.local and (packed := self.local / f"{name}.zip").is_file():
            stamp = (
                f"{packed.stat().st_size}-{packed.stat().st_mtime_ns}"  # another zip of this name is another dataset
            )
            return _once(converted / stamp / name, name, lambda out: convert_packed(packed, out))
        if self.download and name in PUBLIC:
            return _once(converted / "public" / name, name, lambda out: convert_public(name, out, self.cache))
        raise BenchmarkError(_not_found(name, self))


def _not_found(name: str, places: Places) -> str:
    looked = f"it is neither a sample nor in {places.local}" if places.local else "it is no sample"
    if name not in PUBLIC:
        return f"A dataset must be known by its name, however {looked}: {name}; name its folder with --local DIR."
    source = PUBLIC[name]
    how = "download it with --download, or " if source.files else ""
    return (
        f"{name} must be on disk, however {looked}; {how}name its folder with --local DIR "
        f"(source: {source.origin}; licence: {source.licence})."
    )


def is_dataset(folder: Path, name: str) -> bool:
    """Whether a folder holds NAME.data and NAME.solution."""
    return (folder / f"{name}.data").is_dir() and (folder / f"{name}.solution").is_file()


def modality_of(train: Path) -> str:
    """image, video, ...: the rule of our solver, here for tables by modality and for choosing peers."""
    info = DatasetInfo.from_folder(train)
    modality = infer_modality(info) or infer_modality(
        info, typical_length(RecordReader(train, info).read(0, SAMPLE_ROWS).x)
    )
    assert modality is not None, "a length decides what the metadata leaves open"
    return modality.value


def _once(folder: Path, name: str, convert: Callable[[Path], None]) -> Path:
    """The folder of a converted dataset; it appears whole or not at all."""
    if not is_dataset(folder, name):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            made = Path(unfinished, name)
            convert(made)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(made, folder)
    return folder
