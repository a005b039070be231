// An echo server on Node's `ws`.
//
//     node node_ws_echo.js PORT
'use strict'

const { WebSocketServer } = require('ws')

const subprotocol = 'culvert.echo'
// 64 MiB: four times the largest message sent here.
const largestMessage = 64 << 20

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  perMessageDeflate: true,
  maxPayload: largestMessage,
  handleProtocols: (offered) => offered.has(subprotocol) ? subprotocol : false
})

server.on('connection', (socket) => {
  // A client that vanishes is no news.
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
