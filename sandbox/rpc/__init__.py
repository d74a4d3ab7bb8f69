"""The RPCs, one file per namespace. To add one: copy a neighbour; nothing else has to know of it."""
