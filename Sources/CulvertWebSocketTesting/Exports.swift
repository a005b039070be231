// Whoever imports the product can name the types of its interface.
@_exported public import CulvertWebSocket
