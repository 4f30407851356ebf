"""Random numbers of clips: any clip of any stream can be drawn alone, and no two streams share a number."""

import threading

import numpy as np
from numpy.typing import NDArray

STREAMS = {"train": 0, "probe": 1, "validation": 2, "test": 3, "test_novel": 4}

# Made once and set anew for each draw: a new one asks the system for a seed, which its key then replaces, and that took
# longer than the draw.
_PHILOX = np.random.Philox(0)
_TURN = threading.Lock()


def uniforms(
    data_seed: int, stream: str, stream_seed: int, first: int, count: int, per_clip: int
) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1) `[count, per_clip]` of clips `first … first+count-1`; `per_clip` is a multiple of 4.

    Philox-4×64 (Salmon et al. 2011) keyed by (data seed, stream, stream seed), its counter the clip's index times its
    number of blocks.
    """
    assert per_clip % 4 == 0, "a clip must begin at a whole block"
    assert 0 <= stream_seed < 2**32, "it would run into the stream's part of the key"
    key = np.array([data_seed, STREAMS[stream] << 32 | stream_seed], dtype=np.uint64)
    counter = np.array([first * (per_clip // 4), 0, 0, 0], dtype=np.uint64)
    with _TURN:
        _PHILOX.state = {
            "bit_generator": "Philox",
            "state": {"counter": counter, "key": key},
            "buffer": np.zeros(4, np.uint64),
            "buffer_pos": 4,  # nothing is left in it
            "has_uint32": 0,
            "uinteger": 0,
        }
        bits = np.asarray(_PHILOX.random_raw(count * per_clip))
    return np.asarray((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(count, per_clip)
