"""Jobs on Slurm: `submission` hands them over, `queue` asks for their states, `waiting` waits for them."""
