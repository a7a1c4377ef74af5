// The pages' own socket.js and state.js over the stock client: cut, resume, the same comment once. Prints JSON lines.
import { readdirSync } from "node:fs";
import { io } from "socket.io-client";
import * as msgpack from "socket.io-msgpack-parser";
import { connect } from "../../../web/shared/socket.js";
import { apply } from "../../../web/shared/state.js";

const kinds = new URL("../../../web/shared/kinds/", import.meta.url);
for (const file of readdirSync(kinds)) await import(new URL(file, kinds));
const [url, viewer] = process.argv.slice(2);
const say = (what, data) => console.log(JSON.stringify({ what, data }));
let state = null;
let raw = null;
const seen = [];
const page = connect({
  show: "demo",
  as: "viewer",
  name: "Page",
  url,
  io: (address, options) => (raw = io(address, { ...options, parser: msgpack, extraHeaders: { Cookie: `lc_viewer=${viewer}` } })),
  onSnapshot: (next) => {
    state = next;
    say("snapshot", next.offset);
  },
  onFrame: (frame) => {
    state = { ...frame.ev.reduce(apply, state), viewers: frame.n };
    for (const event of frame.ev) if (event.t === "chat") seen.push(event.text);
    say("seen", seen);
  },
  onPrivate: (events) => (state = events.reduce(apply, state)),
  onLink: (link) => say("link", link),
  onBye: (bye) => say("bye", bye),
});

process.stdin.on("data", async (chunk) => {
  for (const line of chunk.toString().split("\n").filter(Boolean)) {
    const order = JSON.parse(line);
    if (order.do === "send") say("answer", await page.send(order.event, order.payload));
    if (order.do === "cut") {
      raw.io.engine.close(); // the line is lost; the client comes back by itself
      if (order.payload) page.send("comment", order.payload).then((answer) => say("answer", answer));
    }
    if (order.do === "state") say("state", state);
    if (order.do === "end") process.exit(0);
  }
});
setTimeout(() => process.exit(1), 60000).unref();
