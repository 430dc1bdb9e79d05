"""One module per figure, each against a peer or a smaller size in the same run: `python -m benchmarks NAME`."""
