"""API layers besides the server's own: clients of other layers are read and answered in theirs.

The server speaks the layer of Telethon's classes. What else a client may speak is given to it as TL text, the
public schema of that layer; nothing here knows any client.
"""

from sandbox.layers.layer import Layer
from sandbox.layers.speech import Speech

__all__ = ["Layer", "Speech"]
