"""The parts of the screens. Each draws one reactive and speaks only through messages."""
