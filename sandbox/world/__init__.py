"""What the data centre knows: accounts, private chats, channels, files, and the faults that it shall show."""
