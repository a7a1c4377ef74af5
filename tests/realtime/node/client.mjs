// The stock client, unchanged, with and without its msgpack parser. Prints what it met as JSON lines; the test judges.
import { io } from "socket.io-client";
import * as msgpack from "socket.io-msgpack-parser";

const [url, parser, viewer] = process.argv.slice(2);
const say = (what, data) => console.log(JSON.stringify({ what, data }));
const socket = io(url, {
  transports: ["websocket"],
  auth: { show: "demo", as: "viewer", name: "Node 節點" },
  extraHeaders: { Cookie: `lc_viewer=${viewer}` },
  ...(parser === "msgpack" && { parser: msgpack }),
});
const bad = io(`${url}/`, { forceNew: true, transports: ["websocket"], auth: { show: "no-such-show" }, extraHeaders: { Cookie: "lc_viewer=x" } });
bad.on("connect_error", (error) => {
  say("refused", { message: error.message, data: error.data });
  bad.close();
});

socket.on("connect", () => say("connect", socket.id.length > 5));
socket.on("snapshot", async (snapshot) => {
  say("snapshot", snapshot);
  const comment = await socket.timeout(8000).emitWithAck("comment", { id: "node-comment-1", text: "A01+2" });
  say("comment", comment);
  say("unknown", await socket.timeout(8000).emitWithAck("no-such-event", {}));
});
socket.on("frame", (frame) => say("frame", frame));
socket.on("private", (data) => say("private", data));
socket.on("bye", (bye) => say("bye", bye));
socket.on("disconnect", (reason, details) => {
  say("disconnect", { reason, code: details?.context?.code });
  socket.close();
});
setTimeout(() => process.exit(1), 20000).unref();
