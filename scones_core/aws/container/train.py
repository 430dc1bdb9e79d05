"""Entry point of a training job in script mode: the embedded classifier's own training script, as it is."""

import runpy
import sys

if __name__ == "__main__":
    sys.argv = sys.argv[:1]  # the container repeats the hyperparameters as arguments; the script reads SM_HPS
    runpy.run_module("scones_core.vision.train", run_name="__main__")
