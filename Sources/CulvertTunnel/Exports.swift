// Whoever imports the product can name the types of its interface: `Authority`, `ProxyHop`, `Route`, `Challenge`.
@_exported public import HTTPWire
@_exported public import ProxyAuth
@_exported public import ProxyRoutes
