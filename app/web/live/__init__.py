"""WebSocket sessions: the hub, one session per socket, and the frames between them."""
