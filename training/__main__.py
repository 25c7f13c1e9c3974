"""`python -m training DATA [WORK]`: DATA is the folder with the judgements, WORK gets what is made of them."""

import sys
from pathlib import Path

from training.train import train

if len(sys.argv) not in (2, 3):
    sys.exit(__doc__)
train(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) == 3 else "training"))
