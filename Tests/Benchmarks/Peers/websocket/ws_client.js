// A load on an echo server by Node's `ws`: node ws_client.js URL CONNECTIONS BYTES SECONDS AUTHORITY
'use strict'

const fs = require('fs')
const WebSocket = require('ws')

const [url, connections, size, seconds, authority] = process.argv.slice(2)
const message = Buffer.alloc(Number(size), 'x')
const options = { perMessageDeflate: false }
if (url.startsWith('wss:')) options.ca = fs.readFileSync(authority)
let rounds = 0
let opened = 0

function measure () {
  const before = rounds
  const began = process.hrtime.bigint()
  console.log('start')
  setTimeout(() => {
    console.log('stop', rounds - before, Number(process.hrtime.bigint() - began) / 1e9)
    process.exit(0)
  }, Number(seconds) * 1000)
}

for (let index = 0; index < Number(connections); index++) {
  const socket = new WebSocket(url, options)
  socket.on('error', (error) => { console.error(String(error)); process.exit(1) })
  socket.on('open', () => {
    socket.send(message)
    if (++opened === Number(connections)) setTimeout(measure, 500)
  })
  socket.on('message', (data) => {
    if (data.length !== message.length) { console.error('the echo is not what was sent'); process.exit(1) }
    rounds++
    socket.send(message)
  })
}
