"""Weights of torchvision on disk: found, verified, refused, and turned into networks."""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from autodl_solver.data.info import Format, MatrixSpec
from autodl_solver.errors import DataError
from autodl_solver.nn.pretrained import download_if_allowed, found_weights, sound_weights
from autodl_solver.nn.pretrained_choice import FrozenFeatures, affordable_backbone, shown_side, sides_for
from autodl_solver.nn.pretrained_files import fetch
from autodl_solver.nn.pretrained_network import PretrainedNetwork, pretrained_network, torchvision_network

SMALL = "squeezenet1_1"
WITH_NORMS = "mobilenet_v3_small"


def write_weights(folder: Path, model: str = SMALL, *, as_name: str = "", checksum: str = "") -> Path:
    """Random weights of a network under the name that torchvision would give them."""
    torch.manual_seed(0)
    path = folder / "unnamed"
    torch.save(torchvision_network(model, 224).state_dict(), path)
    checksum = checksum or hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return path.rename(folder / f"{as_name or model}-{checksum}.pth")


def test_files_are_known_by_the_names_that_torchvision_gives_them(weights_folder: Path) -> None:
    for name in (
        "resnet18-f37072fd.pth",
        "efficientnet_b0_rwightman-7f5810bc.pth",
        "r3d_18-b3b3357e.pth",
        "resnet18-00000000.pth",  # somebody's own
        "alice-00000000.pth",
        "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",  # for detection
        "model.safetensors",
    ):
        (weights_folder / name).touch()
    found = {one.name: (one.model, one.is_video) for one in found_weights()}
    assert found == {
        "resnet18-f37072fd": ("resnet18", False),
        "resnet18-00000000": ("resnet18", False),
        "efficientnet_b0_rwightman-7f5810bc": ("efficientnet_b0", False),
        "r3d_18-b3b3357e": ("r3d_18", True),
    }


def test_torch_keeps_weights_where_they_are_looked_for(weights_folder: Path) -> None:
    cache = Path(torch.hub.get_dir(), "checkpoints")
    cache.mkdir()
    (cache / "resnet18-f37072fd.pth").touch()
    assert [one.path for one in found_weights()] == [str(cache / "resnet18-f37072fd.pth")]


@pytest.mark.parametrize(
    ("module", "function"),
    [("pretrained_choice", "affordable_backbone"), ("pretrained_sound_choice", "affordable_sound_backbone")],
)
def test_without_weights_nothing_is_imported(tmp_path: Path, module: str, function: str) -> None:
    code = (
        "import sys\n"
        f"from autodl_solver.nn.{module} import {function}\n"
        f"assert {function}((8000,), 1000) is None\n"
        "print(sorted({'torch', 'torchvision', 'torchaudio'} & set(sys.modules)))\n"
    )
    environment = {"TORCH_HOME": str(tmp_path), "AUTODL_WEIGHTS": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-B", "-c", code]
    done = subprocess.run(command, env=environment, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_that_there_are_none_is_said_once(weights_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert found_weights() == found_weights() == ()
    (line,) = caplog.messages
    assert str(weights_folder) in line
    assert "going on without" in line


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def of_another_network(path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), path)


def no_tensors(path: Path) -> None:
    torch.save({"epoch": 3}, path)


def not_of_torch(path: Path) -> None:
    path.write_bytes(b"hello")


@pytest.mark.parametrize(
    ("change", "renamed", "message"),
    [
        (damaged, False, "checksum"),
        (damaged, True, "cannot be read"),
        (of_another_network, True, "must fit"),
        (no_tensors, True, "tensors by name"),
        (not_of_torch, True, "cannot be read"),
    ],
)
def test_a_damaged_or_foreign_file_is_one_line_of_the_log(
    weights_folder: Path, caplog: pytest.LogCaptureFixture, change: Callable[[Path], None], renamed: bool, message: str
) -> None:
    path = write_weights(weights_folder)
    change(path)
    if renamed:
        path.rename(weights_folder / f"{SMALL}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth")
    with pytest.raises(DataError, match=message):
        pretrained_network(found_weights()[0])
    assert affordable_backbone((32,), 100) is None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_a_sound_network_takes_the_place_of_a_damaged_one(weights_folder: Path) -> None:
    write_weights(weights_folder)
    damaged(write_weights(weights_folder, WITH_NORMS))
    backbone = affordable_backbone((32, 64), 100)
    assert backbone is not None
    assert (backbone.weights.model, backbone.sizes) == (SMALL, (32, 64))


def test_a_network_that_is_too_slow_for_so_many_rows_is_left_alone(weights_folder: Path) -> None:
    write_weights(weights_folder)
    assert affordable_backbone((32,), 10**9) is None
    assert affordable_backbone((32,), -1) is not None


def test_a_network_that_takes_no_small_images_is_given_larger_ones(weights_folder: Path) -> None:
    write_weights(weights_folder)
    backbone = affordable_backbone((4,), 100)
    assert backbone is not None
    assert backbone.sizes == (224,)


@pytest.mark.parametrize(
    ("n_rows", "n_cols", "sides", "shown"),
    [
        (-1, -1, (112, 224), 224),
        (8, 8, (32,), 8),
        (28, 28, (112,), 28),
        (40, 30, (112, 160), 40),
        (500, 400, (112, 224), 224),
    ],
)
def test_small_images_are_kept_small_and_not_enlarged_at_will(
    n_rows: int, n_cols: int, sides: tuple[int, ...], shown: int
) -> None:
    spec = MatrixSpec(n_rows, n_cols, 3, Format.DENSE)
    assert sides_for(spec, (112, 224)) == sides
    assert shown_side(spec, sides[-1]) == shown


@pytest.mark.parametrize("n_channels", [1, 2, 3, 4, 7])
def test_images_of_any_number_of_channels_have_features(weights_folder: Path, n_channels: int) -> None:
    name = write_weights(weights_folder).stem
    pixels = np.random.default_rng(0).integers(0, 256, (5, 1, 20, 20, n_channels)).astype(np.uint8)
    features = FrozenFeatures().of(pixels, name, 32, (0.0, 255.0))
    assert (features.shape, features.dtype) == ((5, 512), np.float32)
    assert np.ptp(features, axis=0).max() > 0.01, "different images look different"
    assert FrozenFeatures().of(pixels[:0], name, 32, (0.0, 255.0)).shape == (0, 512)


def test_features_of_a_clip_are_the_mean_over_its_frames(weights_folder: Path) -> None:
    name = write_weights(weights_folder).stem
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 3)).astype(np.uint8)
    of_frames = FrozenFeatures().of(clips.reshape(6, 1, 32, 32, 3), name, 32, (0.0, 255.0)).reshape(2, 3, -1)
    of_clips = FrozenFeatures().of(clips, name, 32, (0.0, 255.0))
    assert of_clips == pytest.approx(of_frames.mean(axis=1), rel=0.02, abs=0.02)  # half precision


def test_features_without_weights_are_refused(weights_folder: Path) -> None:
    with pytest.raises(DataError, match="AUTODL_WEIGHTS"):
        FrozenFeatures().of(np.zeros((1, 1, 8, 8, 3), np.uint8), "resnet18-f37072fd", 8, (0.0, 255.0))


def test_the_weights_of_the_file_are_those_of_the_network(weights_folder: Path) -> None:
    write_weights(weights_folder, WITH_NORMS)
    (weights,) = found_weights()
    whole = torchvision_network(WITH_NORMS, 224).eval()
    whole.load_state_dict(sound_weights(weights))
    x = torch.rand(2, 3, 64, 64) * 255
    mean, std = (torch.tensor(values)[:, None, None] for values in (weights.mean, weights.std))
    network = pretrained_network(weights, n_classes=2).eval()
    expected = whole.classifier[:-1](torch.flatten(whole.avgpool(whole.features((x / 255 - mean) / std)), 1))  # type: ignore
    assert torch.allclose(network.features(x, (0.0, 255.0), 1, 1), expected, atol=1e-4)


def test_a_network_for_clips_takes_clips() -> None:
    network = PretrainedNetwork(
        "r3d_18", 112, (0.4,) * 3, (0.2,) * 3, n_classes=2, is_video=True, n_frames=4, side_px=16
    )
    network.prepare(torch.randint(0, 256, (3, 4 * 1, 8, 8), dtype=torch.uint8))
    with torch.inference_mode():
        assert network.eval()(torch.rand(3, 4 * 1, 8, 8)).shape == (3, 2)


@pytest.mark.parametrize("model", ["fasterrcnn_resnet50_fpn", "raft_small", "no_such_network"])
def test_networks_that_would_fetch_something_are_not_built(model: str) -> None:
    with pytest.raises(ValueError, match="for images or clips"):
        torchvision_network(model, 224)


def test_what_is_fetched_is_verified_and_named_when_it_is_whole(tmp_path: Path) -> None:
    content = tmp_path / "source"
    content.write_bytes(b"weights")
    checksum = hashlib.sha256(b"weights").hexdigest()[:8]
    good, bad = (content.with_name(f"net-{digits}.pth") for digits in (checksum, "00000000"))
    good.write_bytes(b"weights")
    bad.write_bytes(b"weights")
    folder, soon = tmp_path / "cache", time.monotonic() + 60
    assert fetch(good.as_uri(), folder, soon).read_bytes() == b"weights"
    with pytest.raises(OSError, match="checksum"):
        fetch(bad.as_uri(), folder, soon)
    with pytest.raises(TimeoutError):
        fetch(good.as_uri(), folder, deadline=0.0)
    assert [path.name for path in folder.iterdir()] == [good.name]


def test_nothing_is_fetched_unless_it_is_allowed(
    weights_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for value in ("", "0", "WAVLM_BASE"):  # the last is left to sounds
        monkeypatch.setenv("AUTODL_DOWNLOAD", value)
        download_if_allowed()
    assert caplog.records == []
    monkeypatch.setenv("AUTODL_DOWNLOAD", "no_such_network")
    download_if_allowed()
    assert "going on without" in caplog.text
