"""Sound files -> samples of one channel at one rate, in the range of 16 bits.

The rate is that of most training clips, but at most MAX_HZ: what tells words and most sounds apart lies below 8 kHz.
libsndfile reads WAV, FLAC, Ogg and MP3; FFmpeg the rest (M4A, AAC, WMA).
Cost: a second of sound takes .3 ms at 16 kHz and 2 ms at 44.1 kHz, one core.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from autodl_solver.data.examples import Array, Ragged, Rows
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from autodl_solver.errors import InputError
from autodl_solver.inputs.files import FileInput, brief, check_file

MAX_HZ = 16_000

LONGEST_S = 120.0
"""Of a longer clip, the first part is heard."""

INT16_RANGE = 32_768.0

_MAX_DENOMINATOR = 500  # of a ratio of rates, which sets the length of the filter; 160 / 441 is the usual one


class AudioFiles(FileInput[int, Array]):
    """Paths of sound files of any rates and channels.

    Attributes:
        sample_hz: rate of the rows; 0 before `fit`.
    """

    modality = "speech"
    plural = "sound files"

    def __init__(self) -> None:
        self.sample_hz = 0

    def info(self, name: str, n_examples: int, class_names: tuple[str, ...]) -> DatasetInfo:
        spec = MatrixSpec(1, 1, 1, Format.DENSE)
        return DatasetInfo(name, None, n_examples, len(class_names), -1, (spec,), class_names)

    def _look(self, path: Path) -> int:
        """The rate of a file."""
        import soundfile

        check_file(path)
        try:
            with soundfile.SoundFile(path) as file:
                return int(file.samplerate)
        except soundfile.SoundFileError:
            return _by_ffmpeg(path, None)[1]

    def _learn(self, paths: list[Path], facts: list[int]) -> None:
        self.sample_hz = min(Counter(facts).most_common(1)[0][0], MAX_HZ)

    def _read(self, path: Path) -> Array:
        """[n_samples] float32, at least one."""
        samples, rate = _samples_of(path)
        if len(samples) == 0:
            raise InputError("it holds no samples")
        return np.asarray(resampled_clip(samples, rate, self.sample_hz) * INT16_RANGE, np.float32)

    def _rows(self, contents: Iterator[Array]) -> Rows:
        block, offsets = bytearray(), [0]
        for samples in contents:
            block += samples.data
            offsets.append(offsets[-1] + len(samples))
        return Ragged(np.frombuffer(block, np.float32).reshape(-1, 1, 1, 1), np.array(offsets, np.int64))


def resampled_clip(samples: Array, rate: int, wanted_hz: int) -> Array:
    """[n_samples] float32 at another rate, filtered against aliases."""
    if rate == wanted_hz:
        return samples
    from scipy.signal import resample_poly

    ratio = Fraction(wanted_hz, rate).limit_denominator(_MAX_DENOMINATOR)
    return np.asarray(resample_poly(samples, max(ratio.numerator, 1), ratio.denominator), np.float32)


def _samples_of(path: Path) -> tuple[Array, int]:
    """(the mean of all channels in [-1, 1], [n_samples] float32; its rate)."""
    import soundfile

    check_file(path)
    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            samples = file.read(int(LONGEST_S * rate), dtype="float32", always_2d=True).mean(axis=1)
    except soundfile.SoundFileError:
        samples, rate = _by_ffmpeg(path, LONGEST_S)
    return np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), rate


def _by_ffmpeg(path: Path, longest_s: float | None) -> tuple[Array, int]:
    """The same of any file that FFmpeg reads; without samples, if longest_s is None."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise InputError("it holds no sound")
            rate = int(container.streams.audio[0].rate)
            parts = [np.zeros(0, np.float32)]
            to_mono = av.AudioResampler("flt", "mono", rate)
            for frame in container.decode(audio=0) if longest_s is not None else ():
                parts += [heard.to_ndarray()[0] for heard in to_mono.resample(frame)]
                if sum(map(len, parts)) >= (longest_s or 0.0) * rate:
                    break
            return np.concatenate(parts).astype(np.float32), rate
    except (av.FFmpegError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"it cannot be decoded as sound ({brief(error)})") from error
