"""What fills the terminal: the dashboard, the demo's chat, and the dialogs over them."""
