// The status page's life: a WebSocket to the proxy's own server brings the past once and the present every second.
"use strict";

const SECONDS = 300;
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

// MARK: Words

const decimals = (value) => (value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2);

function scaled(value, units, step) {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit += 1;
  }
  return [value.toFixed(unit === 0 && value >= 10 ? 0 : decimals(value)), units[unit]];
}

const bytes = (value) => scaled(value, ["B", "kB", "MB", "GB", "TB", "PB"], 1000);
/// `2.50 MB/s` as an axis says it.
const short = (text) => text.replace(/\.(\d*?)0+(?=\D|$)/, (_, digits) => (digits ? `.${digits}` : ""));
const joined = (pair, suffix = "") => `${pair[0]} ${pair[1]}${suffix}`.trim();
const count = (value) => joined(scaled(value, ["", "k", "M", "G"], 1000)).replace(" ", "");
const whole = (value) => Math.round(value).toLocaleString("en-US");
const perSecond = (value) => `${value >= 10 ? Math.round(value) : Number(value.toFixed(1))}`;

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

// MARK: Elements

function element(name, properties = {}, children = []) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

function drawn(name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// MARK: Plots

class Plot {
  /// series: names of the sample's members; the first is filled.
  constructor(id, series, format) {
    this.figure = byId(id);
    this.area = this.figure.querySelector(".area");
    this.svg = this.area.appendChild(drawn("svg", { "aria-hidden": "true" }));
    this.tip = this.area.appendChild(element("div", { className: "tip", hidden: true }));
    this.values = [...this.figure.querySelectorAll(".legend b")];
    this.series = series;
    this.format = format;
    this.samples = [];
    new ResizeObserver(() => this.draw()).observe(this.area);
    this.area.addEventListener("pointermove", (event) => {
      this.pointer = event.clientX - this.area.getBoundingClientRect().left;
      this.draw();
    });
    this.area.addEventListener("pointerleave", () => {
      this.pointer = undefined;
      this.draw();
    });
  }

  show(samples) {
    this.samples = samples;
    const last = samples.at(-1);
    if (last) this.values.forEach((value, i) => (value.textContent = this.format(last[this.series[i]])));
    this.draw();
  }

  /// The top of the axis: the smallest 1, 2 or 5 times a power of ten that is not below the highest value.
  top() {
    const highest = Math.max(1, ...this.samples.flatMap((sample) => this.series.map((name) => sample[name])));
    const power = 10 ** Math.floor(Math.log10(highest));
    return [1, 2, 5, 10].map((factor) => factor * power).find((bound) => bound >= highest);
  }

  draw() {
    const width = this.area.clientWidth;
    const height = this.area.clientHeight;
    const last = this.samples.at(-1);
    if (!width || !last) return;
    const box = { left: 0, right: width - 58, top: 8, bottom: height - 20 };
    const top = this.top();
    const x = (sample) => box.right - ((last.time - sample.time) / SECONDS) * (box.right - box.left);
    const y = (value) => box.bottom - (value / top) * (box.bottom - box.top);
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const line = y(top * share);
      parts.push(drawn("line", { class: "grid", x1: box.left, x2: box.right, y1: line, y2: line }));
      parts.push(drawn("text", { class: "axis", x: box.right + 8, y: line + 4 }, short(this.format(top * share))));
    }
    for (const minutes of width < 420 ? [5, 3, 1, 0] : [5, 4, 3, 2, 1, 0]) {
      const place = box.right - (minutes / 5) * (box.right - box.left);
      const anchor = minutes === 5 ? "start" : minutes === 0 ? "end" : "middle";
      const label = minutes === 0 ? "now" : `${minutes} min`;
      parts.push(drawn("text", { class: "axis", x: place, y: height - 4, "text-anchor": anchor }, label));
    }
    const shown = this.samples.filter((sample) => last.time - sample.time <= SECONDS);
    this.series.forEach((name, i) => {
      const points = shown.map((sample) => `${x(sample).toFixed(1)} ${y(sample[name]).toFixed(1)}`);
      const path = `M${points.join("L")}`;
      if (i === 0) {
        const base = `L${x(last).toFixed(1)} ${box.bottom}L${x(shown[0]).toFixed(1)} ${box.bottom}Z`;
        parts.push(drawn("path", { class: "fill", d: path + base }));
      }
      parts.push(drawn("path", { class: i === 0 ? "first" : "second-line", d: path }));
    });
    this.svg.replaceChildren(...parts, ...this.marks(shown, x, y, box));
  }

  /// What the pointer is on.
  marks(shown, x, y, box) {
    this.tip.hidden = this.pointer === undefined;
    if (this.tip.hidden) return [];
    const nearest = shown.reduce((best, sample) =>
      Math.abs(x(sample) - this.pointer) < Math.abs(x(best) - this.pointer) ? sample : best);
    const place = x(nearest);
    const names = [...this.figure.querySelectorAll(".legend span")].map((span) => span.dataset.name);
    const values = this.series.map((name, i) => `${names[i]} ${this.format(nearest[name])}`);
    this.tip.textContent = `${new Date(nearest.time * 1000).toLocaleTimeString()}  ${values.join("  ")}`;
    const room = this.area.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(room, place + 10))}px`;
    return [
      drawn("line", { class: "hair", x1: place, x2: place, y1: box.top, y2: box.bottom }),
      ...this.series.map((name, i) =>
        drawn("circle", { class: i === 0 ? "dot" : "dot second-dot", cx: place, cy: y(nearest[name]), r: 4 })),
    ];
  }
}

// MARK: Tables

function bar(share) {
  const svg = drawn("svg", { class: "bar", "aria-hidden": "true" });
  svg.append(drawn("rect", { width: `${Math.max(0, Math.min(100, share * 100)).toFixed(1)}%`, height: "4" }));
  return svg;
}

/// What turns the direction of text could make a name look like another one.
const plain = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
const cell = (content, className = "num") => element("td", { className }, [content].flat());
const named = (name, small) =>
  cell(small ? [plain(name), element("small", { textContent: plain(small) })] : [plain(name)], "name");

function fill(id, rows, words) {
  const body = byId(id).tBodies[0];
  if (rows.length === 0) {
    const empty = element("td", { className: "empty", textContent: words });
    empty.colSpan = byId(id).tHead.rows[0].cells.length;
    rows = [[empty]];
  }
  body.replaceChildren(...rows.map((cells) => element("tr", {}, cells)));
}

function destinations(list) {
  const most = Math.max(1, ...list.map((entry) => entry.bytes));
  fill("destinations", list.map((entry) => {
    const name = named(entry.target);
    name.append(bar(entry.bytes / most));
    return [name, cell(count(entry.requests)), cell(joined(bytes(entry.bytes)))];
  }), "Nothing was reached yet.");
}

function refusals(list) {
  const most = Math.max(1, ...list.map((entry) => entry.count));
  fill("refusals", list.map((entry) => {
    const name = named(entry.rule);
    name.append(bar(entry.count / most));
    return [name, cell(whole(entry.count))];
  }), "Nothing was refused.");
}

function parents(list) {
  fill("parents", list.map((entry) => {
    const [word, kind] = entry.avoidedFor !== undefined ? [`avoided for ${duration(entry.avoidedFor)}`, "down"]
      : entry.isUp === undefined ? ["not used yet", ""] : entry.isUp ? ["up", "up"] : ["failing", "down"];
    const ago = entry.isUp === false ? entry.sinceFailure : entry.sinceSuccess;
    const small = entry.isUp === false ? entry.lastError : undefined;
    return [
      named(entry.parent, small),
      cell([element("span", { className: `pill ${kind}`, textContent: word })], ""),
      cell(whole(entry.successes)), cell(whole(entry.failures)),
      cell(ago === undefined ? "–" : `${duration(ago)} ago`, "num minor"),
    ];
  }), "Traffic goes out directly.");
}

function tunnels(list) {
  fill("tunnels", list.map((entry) => [
    named(entry.target, [entry.user, entry.client].filter(Boolean).join(" · ")),
    cell(entry.engine, "minor"), cell(duration(entry.seconds), "num minor"),
    cell(joined(bytes(entry.up)), "num minor"), cell(joined(bytes(entry.down))),
    cell(joined(bytes(entry.rate), "/s")),
  ]), "No tunnel is open.");
}

// MARK: The whole

function big(id, pair) {
  byId(id).replaceChildren(pair[0], element("small", { textContent: pair[1] ? ` ${pair[1]}` : "" }));
}

const plots = [
  new Plot("throughput", ["down", "up"], (value) => joined(bytes(value), "/s")),
  new Plot("concurrency", ["open"], count),
  new Plot("arrivals", ["opened", "requests"], (value) => `${perSecond(value)}/s`),
  new Plot("denials", ["refused"], (value) => `${perSecond(value)}/s`),
];
let samples = [];

function show(report) {
  byId("state").textContent = report.state;
  byId("state").className = `pill ${report.state}`;
  byId("where").textContent = report.listeners.join(", ");
  byId("uptime").textContent = `up ${duration(report.uptime)}`;
  byId("open").textContent = whole(report.tunnelsOpen);
  byId("connections").textContent = `${whole(report.connectionsOpen)} client connections`;
  byId("opened").textContent = whole(report.tunnelsOpened);
  byId("opened-rate").textContent = `${perSecond(report.now.opened)} per second`;
  big("down", bytes(report.now.down).map((part, i) => (i ? `${part}/s` : part)));
  byId("down-total").textContent = `${joined(bytes(report.bytesDown))} in all`;
  big("up", bytes(report.now.up).map((part, i) => (i ? `${part}/s` : part)));
  byId("up-total").textContent = `${joined(bytes(report.bytesUp))} in all`;
  byId("refused").textContent = whole(report.refused);
  byId("refused-share").textContent = `of ${whole(report.requests)} requests`;
  const { cpuPercent, residentBytes, openDescriptors, maxDescriptors } = report.process;
  big("memory", residentBytes === undefined ? ["–", ""] : bytes(residentBytes));
  const cpu = cpuPercent === undefined ? "" : `${perSecond(cpuPercent)} % CPU`;
  const files = openDescriptors === undefined ? "" : `${whole(openDescriptors)} of ${count(maxDescriptors ?? 0)} files`;
  byId("process").textContent = [cpu, files].filter(Boolean).join(" · ");
  destinations(report.destinations);
  refusals(report.refusals);
  parents(report.parents);
  tunnels(report.tunnels);
}

function receive({ history, report }) {
  if (history) samples = history;
  const last = samples.at(-1);
  if (!last || report.now.time > last.time) samples.push(report.now);
  samples = samples.slice(-SECONDS - 1);
  show(report);
  for (const plot of plots) plot.show(samples);
}

function connection(word, kind) {
  byId("connection").textContent = word;
  byId("connection").className = `pill ${kind}`;
  document.body.classList.toggle("stale", kind === "lost");
}

let patience = 500;

function connect() {
  const url = new URL("/events", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    patience = 500;
    connection("live", "live");
  });
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    connection("not connected", "lost");
    // Between half and all of it, so that many pages do not come back at once.
    setTimeout(connect, patience * (0.5 + Math.random() / 2));
    patience = Math.min(patience * 2, 15000);
  });
}

document.body.classList.add("scripted");
byId("connection").hidden = false;
connect();
