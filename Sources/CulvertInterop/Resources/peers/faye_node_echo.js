// An echo server on Faye's WebSocket library for Node.
//
//     node faye_node_echo.js PORT
'use strict'

const http = require('http')
const WebSocket = require('faye-websocket')

const subprotocols = ['culvert.echo']
// 64 MiB: four times the largest message sent here.
const largestMessage = 64 << 20

const server = http.createServer()

server.on('upgrade', (request, stream, head) => {
  // A client that vanishes is no news.
  stream.on('error', () => {})
  if (!WebSocket.isWebSocket(request)) return stream.destroy()
  const socket = new WebSocket(request, stream, head, subprotocols, { maxLength: largestMessage })
  socket.on('message', (event) => socket.send(event.data))
})

server.listen(Number(process.argv[2]), '127.0.0.1')
