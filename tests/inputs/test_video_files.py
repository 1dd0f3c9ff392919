"""Video files as rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autodl_solver.data.examples import Array, EncodedFrames, Examples
from autodl_solver.data.images import decode_frames
from autodl_solver.errors import InputError
from autodl_solver.inputs import video
from autodl_solver.inputs.video import LARGEST_PX, MAX_FRAMES, VideoFiles
from autodl_solver.modalities import SPECS, Modality
from tests.inputs.media_files import BLUE, GREEN, RED, write_clip, write_tone

UPRIGHT_MATRIX = b"".join(value.to_bytes(4, "big") for value in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
QUARTER_TURN = b"".join(
    value.to_bytes(4, "big", signed=True) for value in (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
)


def frames_of(paths: list[Path]) -> tuple[list[Array], Array]:
    encoded = VideoFiles().encode(paths)
    assert isinstance(encoded.rows, EncodedFrames)
    assert not encoded.skipped
    return list(decode_frames(encoded.rows, 3).pixels), encoded.rows.lengths


def fades(n_frames: int) -> list[tuple[int, int, int]]:
    """Frames that grow lighter."""
    return [(255 * k // max(n_frames - 1, 1),) * 3 for k in range(n_frames)]  # type: ignore[misc]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv", "clip.mov", "ein Clip, 中文.MP4"])
def test_a_short_clip_keeps_all_its_frames(name: str, tmp_path: Path) -> None:
    frames, lengths = frames_of([write_clip(tmp_path / name, [RED, RED, GREEN, BLUE, BLUE])])
    assert lengths.tolist() == [5]
    assert [int(frame.mean(axis=(0, 1)).argmax()) for frame in frames] == [0, 0, 1, 2, 2]
    assert {frame.shape for frame in frames} == {(32, 48, 3)}


@pytest.mark.parametrize("n_frames", [MAX_FRAMES, MAX_FRAMES + 1, 3 * MAX_FRAMES, 8 * MAX_FRAMES + 5])
def test_a_longer_clip_keeps_frames_evenly_spread(n_frames: int, tmp_path: Path) -> None:
    frames, lengths = frames_of([write_clip(tmp_path / "clip.mp4", fades(n_frames), (16, 16))])
    assert lengths.tolist() == [MAX_FRAMES]
    light = np.array([frame.mean() for frame in frames])
    expected = np.linspace(light[0], light[-1], MAX_FRAMES)
    assert light[0] < 10
    assert light[-1] > 240
    assert np.abs(light - expected).max() < 12


def test_key_frames_stand_for_a_long_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "clip.mp4", fades(240), (16, 16))  # a key frame every 12 frames at least
    monkeypatch.setattr(video, "LONG_FRAMES", 200)
    _, lengths = frames_of([path])
    assert 20 <= lengths[0] < MAX_FRAMES
    monkeypatch.setattr(video, "ENOUGH_KEY_FRAMES", MAX_FRAMES)
    _, lengths = frames_of([path])
    assert lengths.tolist() == [MAX_FRAMES]


def test_large_frames_shrink_and_keep_their_proportions(tmp_path: Path) -> None:
    frames, _ = frames_of([write_clip(tmp_path / "clip.mp4", [RED], (640, 320))])
    assert frames[0].shape == (LARGEST_PX // 2, LARGEST_PX, 3)


def test_a_clip_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", [RED, RED])
    content = path.read_bytes()
    track = content.index(b"tkhd")
    at = content.index(UPRIGHT_MATRIX, track)
    path.write_bytes(content[:at] + QUARTER_TURN + content[at + len(QUARTER_TURN) :])
    frames, _ = frames_of([path])
    assert frames[0].shape == (48, 32, 3)


@pytest.mark.parametrize(("other", "expected"), [((48, 32), (32, 48)), ((32, 48), (-1, -1))])
def test_the_facts_tell_what_all_clips_share(other: tuple[int, int], expected: tuple[int, int], tmp_path: Path) -> None:
    paths = [write_clip(tmp_path / "a.mp4", [RED]), write_clip(tmp_path / "b.mp4", [RED], other)]
    fitted = VideoFiles()
    fitted.fit(paths)
    info = fitted.info("clips", 2, ("a", "b"))
    assert (info.specs[0].n_rows, info.specs[0].n_cols, info.specs[0].n_channels) == (*expected, 3)
    assert info.sequence_size == -1


def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "whole.mp4", [RED])
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video")
    (tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:200])
    write_tone(tmp_path / "sound.wav")
    names = ["empty.mp4", "text.mp4", "cut.mp4", "sound.wav", "missing.mp4"]
    encoded = VideoFiles().encode([whole, *(tmp_path / name for name in names)])
    reasons = [encoded.skipped[place] for place in range(1, 6)]
    assert (reasons[0], reasons[3], reasons[4]) == ("it is empty", "it holds no pictures", "there is no such file")
    assert reasons[1] == "it cannot be opened as a video (Invalid data found when processing input)"
    assert reasons[2].startswith("it ")


def test_a_damaged_end_leaves_the_frames_before_it(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", fades(40))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    frames, _ = frames_of([path])
    assert 1 <= len(frames) < 40


def test_many_unreadable_clips_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(InputError, match="video files may be unreadable; however 1 of 2"):
        VideoFiles().fit([write_clip(tmp_path / "whole.mp4", [RED]), tmp_path / "a.mp4"])


def test_clips_of_many_sizes_go_through_the_pipeline(tmp_path: Path) -> None:
    paths = [
        write_clip(tmp_path / "a.mp4", [RED] * 3),
        write_clip(tmp_path / "b.avi", [BLUE] * 90, (32, 64)),
        write_clip(tmp_path / "c.mkv", [GREEN], (200, 100)),
    ]
    fitted = VideoFiles()
    fitted.fit(paths)
    rows = fitted.encode(paths).rows
    pipeline = SPECS[Modality.VIDEO].make_pipeline(fitted.info("clips", 3, ("a", "b", "c")))
    pipeline.fit(Examples(rows))
    clips = pipeline.transform(rows, "clip", 16)
    assert isinstance(clips, np.ndarray)
    assert clips.shape[0] == 3
    assert clips.shape[2:] == (16, 16, 3)
    assert clips.mean(axis=(1, 2, 3)).argmax(axis=1).tolist() == [0, 2, 1]
