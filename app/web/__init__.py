"""HTTP and WebSocket: translate, call one use case, translate back."""
