"""The control API: what the dashboard, `run.py status` and monitoring see of the engine.

HTTP over a unix socket that only its owner may open. `server.ControlServer` is the door; `board.Board`
assembles the snapshot that it serves.
"""
