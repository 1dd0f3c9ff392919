"""One-dimensional signals: cbf (series) and spoken_commands (speech)."""

from __future__ import annotations

import io
import itertools
import shutil
import subprocess
import wave

import numpy as np
from scipy.signal import resample_poly

from autodl_solver.data.examples import Array
from autodl_solver.data.info import DatasetInfo, Format, MatrixSpec
from sample_data.recipes.dataset import SampleDataset, fixed_stream

SCALAR_STEP = MatrixSpec(1, 1, 1, Format.DENSE)

CBF_STEPS = 128
CBF_NAMES = ("cylinder", "bell", "funnel")

COMMANDS = ("go", "left", "right", "stop", "yes")
ACCENTS = ("en-us", "en-gb", "en-gb-scotland")
SPEAKERS = ("m1", "m3", "m4", "m7", "f1", "f2", "f4", "f5", "croak")
N_VOICES = 16  # of the 27 combinations
ESPEAK_HZ = 22_050
SAMPLE_HZ = 8_000
LONGEST_S = 0.5
QUIET = 0.02  # of the loudest sample; quieter ends are cut off


def make_cbf() -> SampleDataset:
    """Cylinder, bell and funnel: a plateau, a rise or a fall of random place, length and height in noise.

    Source: N. Saito, Local feature extraction and its applications using a library of bases, PhD thesis, Yale, 1994.
    """
    random = fixed_stream(3)
    labels = [i % len(CBF_NAMES) for i in range(240)]
    examples = [{"dense": _cbf_curve(CBF_NAMES[label], random).reshape(-1, 1)} for label in labels]
    info = DatasetInfo(
        name="cbf",
        folder=None,
        n_examples=-1,
        n_classes=len(CBF_NAMES),
        sequence_size=CBF_STEPS,
        specs=(SCALAR_STEP,),
        class_names=CBF_NAMES,
    )
    return SampleDataset(info, examples, [(label,) for label in labels], n_test=150)


def _cbf_curve(shape: str, random: np.random.RandomState) -> Array:
    """[128] float32: (6 + eta) * shape on the steps [a, b] + noise; eta and the noise are standard normal."""
    t = np.arange(1, CBF_STEPS + 1)
    a = random.randint(16, 33)
    b = a + random.randint(32, 97)
    inside = (t >= a) & (t <= b)
    form = {"cylinder": np.ones(CBF_STEPS), "bell": (t - a) / (b - a), "funnel": (b - t) / (b - a)}[shape]
    height = 6 + random.standard_normal()
    curve = height * inside * form + random.standard_normal(CBF_STEPS)
    return curve.astype(np.float32)


def make_spoken_commands() -> SampleDataset:
    """Five words said by 16 voices of eSpeak NG at random pitch and speed, 8 kHz, 16-bit range.

    Raises:
        FileNotFoundError: eSpeak NG is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise FileNotFoundError(
            "spoken_commands is made by the program espeak-ng, however it is not on the PATH; "
            "install it (apt-get install espeak-ng) or name the other datasets only."
        )
    random = fixed_stream(4)
    voices = [f"{accent}+{speaker}" for accent, speaker in itertools.product(ACCENTS, SPEAKERS)]
    spoken_by = random.permutation(len(voices))[:N_VOICES]
    examples, labels = [], []
    for voice, (label, word) in itertools.product(spoken_by, enumerate(COMMANDS)):
        speech = _say(word, voices[voice], pitch=random.randint(30, 71), words_per_minute=random.randint(170, 231))
        examples.append({"dense": speech.reshape(-1, 1)})
        labels.append((label,))
    info = DatasetInfo(
        name="spoken_commands",
        folder=None,
        n_examples=-1,
        n_classes=len(COMMANDS),
        sequence_size=-1,
        specs=(SCALAR_STEP,),
        class_names=COMMANDS,
    )
    return SampleDataset(info, examples, labels, n_test=25)


def _say(word: str, voice: str, pitch: int, words_per_minute: int) -> Array:
    """[n_samples] float32 at 8 kHz, whole numbers in the 16-bit range, without the silence around the word."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_per_minute), "--stdout", word]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(wav)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2").astype(np.float64)
    speech: Array = np.round(resample_poly(samples, SAMPLE_HZ // 50, ESPEAK_HZ // 50))
    loud = np.flatnonzero(np.abs(speech) > QUIET * np.abs(speech).max())
    longest = int(LONGEST_S * SAMPLE_HZ)
    word_only = speech[loud[0] : loud[-1] + 1][:longest]
    return word_only.clip(-32768, 32767).astype(np.float32)
