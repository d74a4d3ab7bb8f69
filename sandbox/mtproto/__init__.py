"""MTProto 2.0 as the server speaks it: frames, keys, envelopes and sessions. No RPC and no account."""
