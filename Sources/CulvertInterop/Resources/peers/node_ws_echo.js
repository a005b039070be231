// An echo server on Node's `ws`.
//
//     node node_ws_echo.js PORT [CERTIFICATE KEY]
'use strict'

const fs = require('fs')
const { WebSocketServer } = require('ws')

const subprotocol = 'culvert.echo'
// 64 MiB: four times the largest message sent here.
const largestMessage = 64 << 20

const [port, cert, key] = process.argv.slice(2)
const server = cert
  ? require('https').createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : require('http').createServer()

const sockets = new WebSocketServer({
  server,
  perMessageDeflate: true,
  maxPayload: largestMessage,
  handleProtocols: (offered) => offered.has(subprotocol) ? subprotocol : false
})

sockets.on('connection', (socket) => {
  // A client that vanishes is no news.
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})

server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
