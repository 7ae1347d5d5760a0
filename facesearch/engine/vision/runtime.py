"""How the networks are run: quietly, and without more threads than asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnxruntime as ort

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PROCESSOR = Path("/proc/cpuinfo")
_QUIET = 3  # errors only


class Network:
    """A network that is ready to run; any number of threads may call it at once."""

    def __init__(self, model: bytes, threads: int = 1) -> None:
        self._session = session(model, threads)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's one output for its one input."""
        result: Any = self._session.run(None, {self._input: pixels})[0]
        output: NDArray[np.float32] = result
        return output


def session(model: bytes, threads: int = 1) -> Any:
    """onnxruntime's session of a model. Raises what onnxruntime raises."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def int8_is_fast(processor: Path = _PROCESSOR) -> bool:
    """Whether onnxruntime has kernels for this processor that run 8-bit networks faster than float32 ones.

    By half or more with AVX2, and two to three times as fast where VNNI adds products straight into 32 bits.
    """
    try:
        words = set(processor.read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
    return not words.isdisjoint({"avx2", "avx512_vnni", "avx_vnni"})
