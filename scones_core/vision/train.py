"""Training script with SageMaker's script-mode contract: `python -m scones_core.vision.train`.

Reads the channels `train` and `train_lst`, to report figures only `validation` and `validation_lst`, and, to save
time only, `embeddings` with vectors of images computed before; their
folders are in `SM_CHANNEL_<NAME>`, or below /opt/ml/input/data.  Hyperparameters, all text: JSON in `SM_HPS`, or
/opt/ml/input/config/hyperparameters.json.  Writes `model.json` and arrays into `SM_MODEL_DIR`; whoever runs the script
packs that folder (`scones_core.vision.classifier.pack`).

Exit status 0 done; 1 refused or failed, with one line on stderr and in `failure` of the output folder; 143 stopped by
SIGTERM, with nothing in the model folder.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from scones_core.errors import BadInput, SconesError

if TYPE_CHECKING:
    from scones_core.vision.channel import Channel

ROOT = Path("/opt/ml")


def main() -> int:
    signal.signal(signal.SIGTERM, _stop)
    try:
        train(os.environ)
    except SconesError as error:
        return _failed(str(error), os.environ)
    except MemoryError:
        return _failed("There is not enough memory for this training job; use fewer images or words.", os.environ)
    except OSError as error:
        return _failed(f"A file of the training job cannot be used: {error.strerror}; check the disk.", os.environ)
    return 0


def train(environment: Mapping[str, str]) -> None:
    """Train and write the model folder.  Raises SconesError."""
    # Imported here, so that SIGTERM is answered from the first moment on.
    from scones_core.vision.embedding_files import read_folder
    from scones_core.vision.fitting import fit
    from scones_core.vision.hyperparameters import Hyperparameters
    from scones_core.vision.options import Observer

    settings = Hyperparameters.parse(_hyperparameters(environment))
    images = _channel("train", environment)
    if images is None:
        raise BadInput("The training job has no train and train_lst channels; give it both.")
    settings.check(images.labels)
    held_out = _channel("validation", environment)
    model = fit(
        images,
        images.labels,
        settings.names(images.labels),
        seed=settings.seed,
        side=settings.side,
        options=settings.options,
        validation=None if held_out is None else (held_out, held_out.labels),
        observer=Observer(_log, lambda name, value: _log(f"#quality_metric: {name}={value:.6g}")),
        known=read_folder(_folder("embeddings", environment)),
    )
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the model is done: a late stop must not leave half of it
    model.save_to(Path(environment.get("SM_MODEL_DIR", ROOT / "model")))
    _log("Training is done; the model is written")


def _hyperparameters(environment: Mapping[str, str]) -> dict[str, str]:
    path = ROOT / "input" / "config" / "hyperparameters.json"
    text = environment.get("SM_HPS") or (path.read_text() if path.exists() else "{}")
    try:
        values = json.loads(text)
    except ValueError:
        raise BadInput("The hyperparameters are not valid JSON; give one object of texts.") from None
    if not isinstance(values, dict):
        raise BadInput("The hyperparameters are not one JSON object; give names with texts.")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _channel(name: str, environment: Mapping[str, str]) -> "Channel | None":
    from scones_core.vision.channel import Channel

    folders = [_folder(name, environment), _folder(f"{name}_lst", environment)]
    if not all(folder.is_dir() for folder in folders):
        return None
    return Channel(*folders)


def _folder(channel: str, environment: Mapping[str, str]) -> Path:
    return Path(environment.get(f"SM_CHANNEL_{channel.upper()}") or ROOT / "input" / "data" / channel)


def _log(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _failed(message: str, environment: Mapping[str, str]) -> int:
    sys.stderr.write(f"error: {message}\n")
    folder = Path(environment.get("SM_OUTPUT_DIR") or ROOT / "output")
    if folder.is_dir():
        (folder / "failure").write_text(message + "\n", encoding="utf-8")
    return 1


def _stop(signum: int, frame: object) -> None:
    sys.stdout.flush()
    os._exit(128 + signum)  # at once: threads that still compute are not waited for


if __name__ == "__main__":
    sys.exit(main())
