// The connection to a show: one Socket.IO client (the vendored msgpack build, `window.io`), that resumes by offset,
// notices gaps, and sends unanswered comments again under their own ids. No signals, no DOM: live.js wraps it.

const BLOCKED_MS = 7000; // no socket by then, though pages load: something on the way lets no WebSocket through
const ANSWER_MS = 8000; // an answer takes some milliseconds; past this the line is gone
const PENDING_MAX = 50; // unanswered messages kept for after a cut; more is a page gone wild
const SILENT_MS = 31_000; // the server pings each 25 s; a line without even that gives no answer
const SLOW_MS = 3000; // an answer takes some milliseconds: what waits this long is told
const LISTEN_MS = 1000;
const RESUME_MS = 3000; // between two asks for what is missing
const AGAIN = new Set(["comment", "claim", "cancel", "take", "command"]); // messages with an id: sent again, they count once

/**
 * Opens a show.
 *
 * @param {object} options
 * @param {string} options.show id of the show
 * @param {"viewer"|"staff"} options.as
 * @param {string} [options.name] the viewer's name as remembered by the page
 * @param {string} [options.pass] what the page was given for a browser that keeps no cookies
 * @param {(snapshot: object) => void} options.onSnapshot replaces all that the page has
 * @param {(frame: {e: string, f: string, t: string, ev: object[], n: number, now: number}) => void} options.onFrame
 *   events after the last offset, in order, none missing and none twice
 * @param {(events: object[]) => void} options.onPrivate events for this viewer alone
 * @param {(link: "connecting"|"open"|"stalled"|"lost"|"blocked"|"closed") => void} options.onLink `blocked`: pages load, and
 *   no WebSocket does; it is tried on
 * @param {(bye: {number: number, code: string, reason: string, reconnect: boolean}) => void} options.onBye
 *   why the server closed, or why it refused the connection (then with `refused: true`)
 * @param {(url: string, options: object) => any} [options.io] Socket.IO's `io`; a page has it as `window.io`
 * @param {string} [options.url] address of the server; a page's own by default
 * @param {string} [options.root] where on that host the site stands: "" or a path like "/live"
 * @returns {{send: (event: string, payload?: object) => Promise<object>, close: () => void, position: () => object}}
 *   `send` always resolves: `{ok: true, …}` or `{ok: false, error: {number, code, reason}}` (`no_answer` without one)
 */
export function connect(options) {
  const { show, as, name, pass, onSnapshot, onFrame, onPrivate, onLink, onBye, io = globalThis.io, url = "", root = "" } = options;
  let epoch = null;
  let offset = null;
  let resuming = 0;
  let final = false;
  const pending = new Map(); // number -> {event, payload, resolve, timer}
  let count = 0;

  const auth = (give) => give({ show, as, ...(name && { name }), ...(pass && { pass }), ...(epoch && { epoch, offset }) });
  const socket = io(url, {
    path: `${root}/socket.io/`,
    transports: ["websocket"],
    auth,
    reconnectionDelay: 300,
    reconnectionDelayMax: 5000,
    randomizationFactor: 0.7, // thousands come back after a restart; not all in the same moment
    timeout: 10000,
  });

  let blocked = false;
  const link = (state) => {
    if (!final || state === "closed") onLink(state === "lost" && blocked ? "blocked" : state);
  };
  // An error says nothing of its cause, and a proxy may also just be silent; so a plain request is the comparison.
  const judge = async () => {
    if (final || socket.connected || typeof fetch !== "function") return;
    const answer = await fetch(`${url}${root}/static/shared/icon.svg`, { cache: "no-store" }).catch(() => null);
    if (final || socket.connected) return;
    blocked = answer?.ok === true;
    if (blocked) link("lost");
    judging = setTimeout(judge, BLOCKED_MS);
  };
  let judging = setTimeout(judge, BLOCKED_MS);
  const finish = (bye) => {
    final = true;
    clearTimeout(judging);
    clearInterval(listening);
    onBye(bye);
    socket.disconnect();
    onLink("closed");
    for (const number of [...pending.keys()]) settle(number, failure("no_answer", "The connection is closed."));
  };
  const failure = (code, reason) => ({ ok: false, error: { number: 0, code, reason } });

  function settle(number, answer) {
    const entry = pending.get(number);
    if (!entry) return;
    clearTimeout(entry.timer);
    pending.delete(number);
    entry.resolve(answer);
  }

  function deliver(number) {
    const entry = pending.get(number);
    const attempt = (entry.attempt = (entry.attempt ?? 0) + 1);
    clearTimeout(entry.timer);
    entry.since = performance.now();
    entry.timer = setTimeout(() => settle(number, failure("no_answer", "The server did not answer in time.")), ANSWER_MS);
    const payload = attempt > 1 && AGAIN.has(entry.event) ? { ...entry.payload, again: true } : entry.payload;
    socket.emit(entry.event, payload, (answer) => settle(number, answer));
  }

  function askForMissing() {
    const now = Date.now();
    if (now - resuming < RESUME_MS) return;
    resuming = now;
    // The missing frame, or a snapshot, comes as an event of its own right behind.
    socket.emit("resume", { epoch, offset }, () => (resuming = 0));
  }

  // A line may stand and carry nothing: said as soon as an answer is late or the server's pings stay away.
  let heardAt = 0;
  let stalled = false;
  const stall = (is) => {
    if (stalled !== is) link((stalled = is) ? "stalled" : "open");
  };
  const listening = setInterval(() => {
    const now = performance.now();
    const late = [...pending.values()].some((entry) => now - entry.since > SLOW_MS && entry.since > heardAt);
    if (socket.connected && (late || now - heardAt > SILENT_MS)) stall(true);
  }, LISTEN_MS);
  const heard = () => {
    heardAt = performance.now();
    stall(false);
  };

  socket.on("connect", () => {
    stalled = false;
    heard();
    socket.io?.engine?.on("packet", heard);
    resuming = 0;
    blocked = false;
    clearTimeout(judging);
    link("open");
    for (const number of [...pending.keys()]) deliver(number);
  });
  socket.on("disconnect", (reason) => {
    if (final) return;
    clearTimeout(judging);
    judging = setTimeout(judge, BLOCKED_MS);
    link("lost");
    // After the server's own "disconnect" packet the client would not come back by itself.
    if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", (error) => {
    if (final) return;
    const data = error.data;
    if (!data?.code) return link("lost"); // the server is not there; the client tries again
    const wait = data.retry_after_ms;
    if (wait === undefined || wait === null) return finish({ ...data, reconnect: false, refused: true });
    link("lost");
    setTimeout(() => !final && socket.connect(), wait * (0.5 + Math.random()));
  });
  socket.on("bye", (bye) => {
    if (!bye.reconnect) finish(bye);
    else onBye(bye);
  });
  socket.on("snapshot", (snapshot) => {
    ({ epoch, offset } = snapshot);
    resuming = 0;
    onSnapshot(snapshot);
  });
  socket.on("frame", (frame) => {
    if (frame.e !== epoch || frame.f !== offset) {
      // Already here (an answer to `resume` that crossed a frame) or something is missing.
      if (frame.e === epoch && frame.t === offset && frame.f !== frame.t) return;
      return askForMissing();
    }
    offset = frame.t;
    onFrame(frame);
  });
  socket.on("private", ({ ev }) => onPrivate(ev));

  return {
    send(event, payload = {}) {
      if (final) return Promise.resolve(failure("no_answer", "The connection is closed."));
      if (pending.size >= PENDING_MAX) return Promise.resolve(failure("busy", "Too many messages wait for an answer."));
      return new Promise((resolve) => {
        const number = ++count;
        pending.set(number, { event, payload, resolve });
        if (socket.connected) deliver(number);
        else pending.get(number).timer = setTimeout(() => settle(number, failure("no_answer", "There is no connection.")), ANSWER_MS);
      });
    },
    close() {
      final = true;
      clearTimeout(judging);
      clearInterval(listening);
      socket.disconnect();
      onLink("closed");
    },
    position: () => ({ epoch, offset }),
  };
}
