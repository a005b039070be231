// Node's ws with https-proxy-agent through an HTTP proxy: ws_client.js URL PROXY CA
"use strict";
const fs = require("fs");
const { once } = require("events");
const HttpsProxyAgent = require("https-proxy-agent");
const { WebSocket } = require("ws");

const [url, proxy, authority] = process.argv.slice(2);
const ca = fs.readFileSync(authority);

async function open() {
  const agent = new HttpsProxyAgent(proxy);
  const socket = new WebSocket(url, { agent, ca, perMessageDeflate: true, handshakeTimeout: 20000 });
  await once(socket, "open");
  return socket;
}

async function check(name, body) {
  try {
    await body();
    console.log(`pass ${name}`);
  } catch (error) {
    console.log(`fail ${name} ${String(error).replace(/\s+/g, " ").slice(0, 250)}`);
  }
}

async function echoes(socket, message) {
  const answer = once(socket, "message");
  socket.send(message);
  const [data, isBinary] = await answer;
  if (isBinary !== Buffer.isBuffer(message)) throw new Error("the kind changed");
  if (!data.equals(Buffer.from(message))) throw new Error(`sent ${message.length}, received ${data.length}`);
}

function pattern(size) {
  const block = Buffer.alloc(65536);
  for (let i = 0; i < block.length; i++) block[i] = (i * i + (i >> 8)) & 0xff;
  return Buffer.alloc(size, block);
}

async function main() {
  const socket = await open();
  await check("text", () => echoes(socket, "Grüße, 世界 👋"));
  await check("binary", () => echoes(socket, Buffer.from([...Array(256).keys()])));
  await check("empty", () => echoes(socket, ""));
  for (const size of [125, 126, 65535, 65536]) await check(String(size), () => echoes(socket, pattern(size)));
  await check("16MB", () => echoes(socket, pattern(1 << 24)));
  await check("fragments", async () => {
    const answer = once(socket, "message");
    socket.send("one, ", { fin: false });
    socket.ping();
    socket.send("two, ", { fin: false });
    socket.send("three", { fin: true });
    const [data] = await answer;
    if (data.toString() !== "one, two, three") throw new Error(`received ${data}`);
  });
  await check("ping", async () => {
    const answer = once(socket, "pong");
    socket.ping("culvert");
    const [data] = await answer;
    if (data.toString() !== "culvert") throw new Error(`received ${data}`);
  });
  if (socket.extensions) await check("compression", () => echoes(socket, "culvert ".repeat(8192)));
  socket.close();
  for (const code of [1000, 3000]) {
    await check(`close-${code}`, async () => {
      const closing = await open();
      closing.close(code, "done");
      const [answered] = await once(closing, "close");
      if (answered !== code) throw new Error(`the answer is ${answered}`);
    });
  }
}

setTimeout(() => {
  console.log("fail open no end within 50 s");
  process.exit(0);
}, 50000).unref();
main().catch((error) => console.log(`fail open ${String(error).replace(/\s+/g, " ").slice(0, 250)}`));
