"""Usage: python -m training DATA WORK

DATA: the folder with the judgements, *.csv.gz. WORK: the folder for trained.safetensors and the held-out
judgements.
"""

import sys
from pathlib import Path

from training.train import train

if len(sys.argv) != 3:
    sys.exit(__doc__)
train(Path(sys.argv[1]), Path(sys.argv[2]))
