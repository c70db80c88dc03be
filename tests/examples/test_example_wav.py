from __future__ import annotations

import io
import math
import struct
import wave
from array import array
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.demo.load import voice_note
from examples.recording.wav import (
    FULL_SCALE,
    BadAudio,
    Clip,
    clip_read,
    clip_write,
    loudness_apply,
    loudness_gain,
    silence_trim,
)

SAMPLES = st.lists(st.integers(-32768, 32767), max_size=400)


def wav(*, width: int = 2, channels: int = 1, rate: int = 8000, frames: bytes = b"") -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as sink:
        sink.setparams((channels, width, rate, 0, "NONE", ""))
        sink.writeframes(frames)
    return target.getvalue()


def dbfs(level: float) -> float:
    return 20 * math.log10(level / FULL_SCALE)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "not a PCM WAV file", id="empty"),
        pytest.param(b"hello", "not a PCM WAV file", id="text"),
        pytest.param(wav()[:30], "not a PCM WAV file", id="cut in the head"),
        pytest.param(wav(width=1), "8 bits", id="8 bit"),
        pytest.param(wav(width=3), "24 bits", id="24 bit"),
        pytest.param(wav(channels=3), "channels are 3", id="three channels"),
        pytest.param(wav(rate=100), "100 Hz", id="low rate"),
    ],
)
def test_other_audio_is_refused_with_what_would_do(data: bytes, said: str) -> None:
    with pytest.raises(BadAudio, match=said) as refused:
        clip_read(data)
    assert "send" in str(refused.value)


def test_a_clip_cut_short_is_read_to_its_last_whole_frame() -> None:
    whole = wav(channels=2, frames=struct.pack("<4h", 1, 2, 3, 4))
    assert list(clip_read(whole[:-1]).samples) == [1, 2]


@given(st.binary(max_size=120), st.integers(0, 60))
def test_damaged_files_are_read_or_refused(noise: bytes, at: int) -> None:
    whole = bytearray(wav(frames=bytes(100)))
    whole[at : at + len(noise)] = noise
    with suppress(BadAudio):
        clip_read(bytes(whole))


@given(SAMPLES, st.sampled_from([1, 2]))
def test_a_clip_survives_writing_and_reading(samples: list[int], channels: int) -> None:
    whole = samples[: len(samples) - len(samples) % channels]
    clip = Clip(8000, channels, array("h", whole))
    assert clip_read(clip_write(clip)) == clip


def test_silence_goes_at_both_ends_and_stays_between() -> None:
    quiet, loud = [0] * 1000, [9000] * 500
    trimmed = silence_trim(Clip(8000, 1, array("h", quiet + loud + quiet + loud + quiet)))
    beside = 8000 * 20 // 1000
    assert len(trimmed.samples) == beside + 500 + 1000 + 500 + beside
    assert trimmed.samples[beside] == 9000


def test_nothing_is_left_of_silence() -> None:
    assert silence_trim(Clip(8000, 2, array("h", [5] * 2000))).seconds == 0


@given(SAMPLES, st.sampled_from([1, 2]))
def test_trimming_again_changes_nothing(samples: list[int], channels: int) -> None:
    whole = samples[: len(samples) - len(samples) % channels]
    once = silence_trim(Clip(8000, channels, array("h", whole)))
    assert silence_trim(once) == once
    assert len(once.samples) % channels == 0


@given(SAMPLES)
def test_nothing_is_ever_clipped(samples: list[int]) -> None:
    clip = Clip(8000, 1, array("h", samples))
    louder = loudness_apply(clip, loudness_gain(clip.samples))
    assert all(abs(sample) <= FULL_SCALE * 0.9 for sample in louder.samples)


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_a_voice_note_ends_at_the_target_loudness(seconds: float) -> None:
    clip = silence_trim(clip_read(voice_note(seconds, 440)))
    samples = loudness_apply(clip, loudness_gain(clip.samples)).samples
    rms = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    assert dbfs(rms) == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize(
    ("samples", "gain_db"),
    [
        pytest.param([0] * 100, 0, id="silence stays"),
        pytest.param([10, -10] * 50, 30, id="noise is raised by the limit"),
        pytest.param([0] * 99 + [20000], 3.3, id="the peak holds the gain down"),
        pytest.param([20000, -20000] * 50, -15.7, id="loud speech is lowered"),
    ],
)
def test_gain(samples: list[int], gain_db: float) -> None:
    gain = loudness_gain(array("h", samples))
    assert 20 * math.log10(gain) == pytest.approx(gain_db, abs=0.05)
