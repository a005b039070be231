// An HTTP/2 client of a proxy, by Node's own http2.
//
//     http2_client.js PORT CA REQUESTS [CERTIFICATE KEY]
//
// REQUESTS is a JSON list; all of them are sent at once on one connection, and their results come as one line of JSON:
// status, fields, trailers, the number of bytes, the text's beginning, the code of RST_STREAM.
//
// A request has `headers`; `body` (text) or `size` (bytes to send); `trailers`; `times`. `open` leaves it open: it prints
// `granted` with its answer and, at the proxy's GOAWAY, `going away`; then it sends `still` and ends. `hold` reads
// nothing of the answer for so many milliseconds. `linger` after all of them waits for the
// proxy to close, and prints `closed`.

"use strict";
const http2 = require("node:http2");
const fs = require("node:fs");

const [port, ca, text, certificate, key] = process.argv.slice(2);
const requests = JSON.parse(text);
const session = http2.connect(`https://localhost:${port}`, {
  ca: fs.readFileSync(ca),
  ...(certificate && { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }),
});
const open = [];
let goaway = null;

session.on("error", () => {});
session.on("goaway", (code) => {
  goaway = code;
  if (open.length) console.log("going away");
  // A graceful stop says it twice.
  for (const stream of open.splice(0)) stream.end("still");
});
session.on("close", () => console.log("closed"));

function perform(request) {
  return new Promise((resolve) => {
    const result = { bytes: 0, text: "" };
    const hasBody = request.body !== undefined || request.size !== undefined;
    const stream = session.request(request.headers, {
      endStream: !hasBody && !request.open,
      waitForTrailers: request.trailers !== undefined,
    });
    stream.on("response", (fields) => {
      result.status = fields[":status"];
      result.fields = fields;
      if (!request.open) return;
      open.push(stream);
      console.log("granted");
    });
    stream.on("trailers", (fields) => (result.trailers = fields));
    stream.on("wantTrailers", () => stream.sendTrailers(request.trailers));
    stream.on("error", () => {});
    stream.on("close", () => resolve({ ...result, reset: stream.rstCode }));
    setTimeout(
      () =>
        stream.on("data", (piece) => {
          result.bytes += piece.length;
          if (result.text.length < 4096) result.text += piece.toString("latin1");
        }),
      request.hold ?? 0,
    );
    if (hasBody) stream.end(request.body ?? Buffer.alloc(request.size, "x"));
  });
}

const all = requests.flatMap((request) => Array(request.times ?? 1).fill(request));
Promise.all(all.filter((request) => request.headers).map(perform)).then((results) => {
  console.log(JSON.stringify({ results, goaway }));
  if (!requests.some((request) => request.linger)) session.destroy();
});
