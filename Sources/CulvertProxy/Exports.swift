// Whoever imports the product can name the types of its interface: `AccessPolicy`, `TLSOptions`, `Route`.
@_exported public import CulvertTunnel
@_exported public import ProxyPolicy
