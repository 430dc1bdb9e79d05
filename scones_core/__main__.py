"""`python -m scones_core`."""

import sys

from scones_core.cli import main

sys.exit(main())
