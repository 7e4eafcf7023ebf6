"""`python -m zwerm` is the same as `zwerm`."""

import sys

from zwerm.cli.main import main

sys.exit(main())
