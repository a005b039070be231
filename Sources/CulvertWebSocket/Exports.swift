// Whoever imports the product can name the types of its interface: `WebSocketMessage`, `ProxySetting`, `TLSOptions`.
@_exported public import CulvertTunnel
@_exported public import WebSocketWire
