// An echo server on SockJS: with its framing at /echo/SERVER/SESSION/websocket, any two words, and without it at
// /echo/websocket.
//
//     node sockjs_echo.js PORT
'use strict'

const http = require('http')
const sockjs = require('sockjs')

// 64 MiB: four times the largest message sent here.
const largestMessage = 64 << 20

const echo = sockjs.createServer({
  log: () => {},
  faye_server_options: { maxLength: largestMessage }
})

echo.on('connection', (connection) => {
  connection.on('data', (message) => connection.write(message))
})

const server = http.createServer()
echo.installHandlers(server, { prefix: '/echo' })
server.listen(Number(process.argv[2]), '127.0.0.1')
