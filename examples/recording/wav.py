"""Voice clips as 16-bit PCM WAV: read, trim silence, normalise loudness, write."""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from dataclasses import dataclass, replace

SAMPLE_BYTES = 2
CHANNELS = (1, 2)
RATES_HZ = range(4_000, 192_001)
FULL_SCALE = 32_767
SILENCE_DBFS = -46.0
TARGET_RMS_DBFS = -20.0
PEAK_DBFS = -1.0
GAIN_LIMIT_DB = 30.0  # beyond it only the noise of the line would get louder
KEPT_MS = 20  # left beside speech, so that soft first and last sounds survive


class BadAudio(ValueError):
    """The bytes are not a clip this service can work on; the message says what would be."""


@dataclass(frozen=True, slots=True)
class Clip:
    rate: int
    channels: int
    samples: array[int]  # interleaved, native byte order

    @property
    def frames(self) -> int:
        return len(self.samples) // self.channels

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def clip_read(data: bytes) -> Clip:
    try:
        with wave.open(io.BytesIO(data), "rb") as source:
            channels, width, rate = (
                source.getnchannels(),
                source.getsampwidth(),
                source.getframerate(),
            )
            raw = source.readframes(source.getnframes())
    # Damaged chunk lengths make the reader of some Python versions raise RuntimeError.
    except (wave.Error, EOFError, RuntimeError) as error:
        said = str(error) or "it ends too early"
        raise BadAudio(f"body is not a PCM WAV file ({said}): send 16-bit PCM") from error
    if width != SAMPLE_BYTES:
        raise BadAudio(f"sample width is {width * 8} bits: send 16-bit PCM")
    if channels not in CHANNELS:
        raise BadAudio(f"channels are {channels}: send mono or stereo")
    if rate not in RATES_HZ:
        raise BadAudio(f"sample rate is {rate} Hz: send {RATES_HZ[0]} to {RATES_HZ[-1]} Hz")
    # A file cut short may end inside a frame.
    samples = array("h", raw[: len(raw) - len(raw) % (width * channels)])
    return Clip(rate, channels, _little_endian(samples))


def clip_write(clip: Clip) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as sink:
        sink.setnchannels(clip.channels)
        sink.setsampwidth(SAMPLE_BYTES)
        sink.setframerate(clip.rate)
        sink.writeframes(_little_endian(clip.samples).tobytes())
    return target.getvalue()


def silence_trim(clip: Clip) -> Clip:
    """Cut what is below SILENCE_DBFS at both ends; nothing but silence leaves nothing."""
    floor = _amplitude(SILENCE_DBFS)
    samples = clip.samples
    loud = (i for i, sample in enumerate(samples) if abs(sample) >= floor)
    first = next(loud, None)
    if first is None:
        return replace(clip, samples=array("h"))
    last = next(i for i in range(len(samples) - 1, -1, -1) if abs(samples[i]) >= floor)
    kept = clip.rate * KEPT_MS // 1000
    start = max(0, first // clip.channels - kept) * clip.channels
    end = (last // clip.channels + 1 + kept) * clip.channels
    return replace(clip, samples=samples[start:end])


def loudness_gain(samples: array[int]) -> float:
    """Return the factor that brings RMS to its target unless the peak or the limit forbids it."""
    # Generators all the way: the interpreter can turn to /healthz between two samples.
    peak = max((abs(sample) for sample in samples), default=0)
    if not peak:
        return 1.0
    rms = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    wanted = _amplitude(TARGET_RMS_DBFS) / rms
    return min(wanted, _amplitude(PEAK_DBFS) / peak, 10 ** (GAIN_LIMIT_DB / 20))


def loudness_apply(clip: Clip, gain: float) -> Clip:
    return replace(clip, samples=array("h", (round(sample * gain) for sample in clip.samples)))


def _amplitude(dbfs: float) -> float:
    return FULL_SCALE * float(10 ** (dbfs / 20))


def _little_endian(samples: array[int]) -> array[int]:
    """WAV is little-endian: swap on machines that are not."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples
