"""Load tests over real protocols. Each prints the peer, ours and the ratio from the same run."""
