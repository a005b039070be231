// A WebSocket server on Node's `ws`, on a free loopback port.
//
//     node websocket_echo.js [CERTIFICATE KEY]
//
// Prints `ready PORT`. The paths are the contract written down in websocket_echo.py.
'use strict'

const fs = require('fs')
const http = require('http')
const https = require('https')
const { WebSocketServer } = require('ws')

const paths = new Set(['/echo', '/plain', '/request', '/close-4000', '/burst', '/abort'])
const subprotocols = ['culvert.v2', 'culvert.v1']
const [certificate, key] = process.argv.slice(2)

const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer()

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: true,
  maxPayload: 64 << 20,
  handleProtocols: (offered) => subprotocols.find((name) => offered.has(name)) || false
})

server.on('upgrade', (request, socket, head) => {
  if (!paths.has(request.url)) {
    const body = 'no such page here\n'
    socket.end(`HTTP/1.1 404 Not Found\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
    return
  }
  if (request.url === '/plain') delete request.headers['sec-websocket-extensions']
  sockets.handleUpgrade(request, socket, head, (webSocket) => converse(webSocket, request, socket))
})

function converse (webSocket, request, socket) {
  if (request.url === '/request') {
    const { protocol: subprotocol, extensions } = webSocket
    webSocket.send(JSON.stringify({ fields: request.headers, subprotocol, extensions }))
  }
  webSocket.on('error', () => {})
  webSocket.on('message', (data, isBinary) => {
    switch (request.url) {
      case '/close-4000':
        webSocket.close(4000, 'bye')
        break
      case '/abort':
        socket.destroy()
        break
      case '/burst':
        for (let index = 0; index < 1000; index++) webSocket.send(`message ${index}`)
        webSocket.close(1000)
        break
      default:
        webSocket.send(data, { binary: isBinary })
    }
  })
}

server.listen(0, '127.0.0.1', () => console.log('ready', server.address().port))
