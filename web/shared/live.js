// One show as signals: the socket's snapshot and frames folded by state.js, who answered what, and how the line is.
import { optionsOf } from "./skus.js";
import { computed, signal } from "@preact/signals";
import { root } from "./api.js";
import { lineKey } from "./kinds.js";
import { connect } from "./socket.js";
import { apply } from "./state.js";
import { anchor } from "./ui.js";

/** True of a claim event that says what was done to a claim, not that one was made. */
const isGiven = (event) => ["cancelled", "expired", "extended", "reduced", "changed", "swapped"].includes(event.outcome);
const BECOMES = { cancelled: "cancelled", expired: "expired", extended: "reserved" }; // what it says at the line it was made with
const CLAIMS_MAX = 1000; // claims remembered to mark chat lines with: more than lines a page goes back to, so that none loses its mark
const TICKETS_LISTED = 500; // the server lists so many to staff; what became of older lines is not known
const BUTTON_LINES_MAX = 60; // claims made by the button, shown as chat lines of their own

/** Opens the show. `state` is null until the first snapshot; `link` is connecting, open, stalled, lost, blocked or closed. */
export function openShow({ show, as, snapshot = null, name = "", pass }) {
  const state = signal(snapshot);
  const link = signal("connecting");
  const goodbye = signal(null);
  const claims = signal(new Map()); // line -> claim events
  const button = signal([]); // claims without a chat line
  const listeners = new Set();

  const fold = (events) => {
    let next = state.value;
    let marked = null;
    for (const event of events) {
      next = apply(next, event);
      if (event.t === "claim") marked = mark(marked ?? new Map(claims.value), event, next);
    }
    state.value = next;
    if (marked) claims.value = marked;
    for (const listen of listeners) listen(events);
  };

  const mark = (map, event, next) => {
    const id = event.comment ?? event.reservation;
    const key = lineKey({ by: event.by, id });
    const before = map.get(key) ?? [];
    const same = (other) => other.sku === event.sku && other.number === event.number;
    map.set(key, [...before.filter((other) => !same(other)), event]);
    // What became of a claim later is said at its own line too: "No. 2 ✓" must not stand beside what was cancelled.
    if (isGiven(event)) for (const [line, told] of map) if (line !== key && told.some((one) => same(one) && !isGiven(one)))
      map.set(line, told.map((one) => (same(one) && !isGiven(one) ? { ...one, outcome: BECOMES[event.outcome] ?? one.outcome, reserved: event.reserved, waiting: event.waiting } : one)));
    if (map.size > CLAIMS_MAX) map.delete(map.keys().next().value);
    const known = next.chat.some((line) => lineKey(line) === key);
    if (!known && ["reserved", "partly", "waiting"].includes(event.outcome) && !before.length) {
      const line = { id, kind: "claim", by: event.by, name: event.name, viewer: event.viewer, text: "", at: event.at };
      button.value = [...button.value, line].slice(-BUTTON_LINES_MAX);
    }
    return map;
  };

  // A ticket has what is held and what waits apart (`quantity`, `waiting`).
  const claimOf = (ticket) => ({ sku: ticket.sku, number: ticket.number, reserved: ticket.quantity, waiting: ticket.waiting ?? 0, position: ticket.position, outcome: ticket.state });

  // Claims of before this page was open: staff have the list of reservations, a viewer the marks of the chat and the own tickets.
  const seed = (snapshotState) => {
    const map = new Map();
    const marks = snapshotState.marks ?? [];
    const mine = snapshotState.me?.by;
    const marked = new Set(marks.filter((one) => one.by === mine).map((one) => one.comment));
    const own = (snapshotState.me?.tickets ?? []).filter((ticket) => !marked.has(ticket.comment));
    for (const ticket of snapshotState.reservations ?? [...marks, ...own]) {
      const key = lineKey({ by: ticket.by ?? mine, id: ticket.comment });
      map.set(key, [...(map.get(key) ?? []), claimOf(ticket)]);
    }
    const listed = snapshotState.reservations ?? [];
    const since = listed.length < TICKETS_LISTED ? 0 : Math.min(...listed.map((ticket) => ticket.at_ms));
    for (const line of snapshotState.chat ?? []) if (line.at < since && !map.has(lineKey(line))) map.set(lineKey(line), []);
    // Orders by the button have no line of chat: the snapshot brings them, so that a reload loses none.
    const lines = new Map(button.value.map((line) => [lineKey(line), line]));
    for (const { id, by, name: who, viewer, at, ...ticket } of snapshotState.presses ?? []) {
      const key = lineKey({ by, id });
      if (!lines.has(key)) lines.set(key, { id, kind: "claim", by, name: who, viewer, text: "", at });
      if (!map.has(key)) map.set(key, [claimOf(ticket)]);
    }
    button.value = [...lines.values()].sort((a, b) => a.at - b.at).slice(-BUTTON_LINES_MAX);
    for (const [key, known] of claims.value) map.set(key, known);
    claims.value = map;
  };

  if (snapshot) seed(snapshot);
  anchor(snapshot?.now, true);

  const socket = connect({
    show,
    as,
    name,
    pass,
    root,
    onSnapshot(next) {
      anchor(next.now, true);
      state.value = next;
      seed(next);
      for (const listen of listeners) listen([{ t: "snapshot" }]);
    },
    onFrame(frame) {
      anchor(frame.now);
      if (!state.value) return;
      if (frame.n !== state.value.viewers) state.value = { ...state.value, viewers: frame.n };
      if (frame.ev.length) fold(frame.ev);
    },
    onPrivate: (events) => state.value && fold(events),
    onLink(next) {
      link.value = next;
      if (next === "open") goodbye.value = null; // it was only for a moment
    },
    onBye: (next) => (goodbye.value = next),
  });

  const part = (name) => computed(() => state.value?.[name]);
  const chat = part("chat");
  return {
    state,
    link,
    goodbye,
    claims,
    show: part("show"),
    items: part("items"),
    stock: part("stock"),
    pin: part("pin"),
    chat,
    lines: computed(() => {
      const own = button.value;
      const lines = chat.value ?? [];
      return own.length ? [...lines, ...own].sort((a, b) => a.at - b.at) : lines;
    }),
    viewers: part("viewers"),
    media: part("media"),
    settings: part("settings"),
    notice: part("notice"),
    me: part("me"),
    part,
    item: (code) => state.value?.items.find((one) => one.code === code),
    send: (event, payload) => socket.send(event, payload),
    listen(fn) {
      listeners.add(fn);
      return () => listeners.delete(fn);
    },
    close: () => socket.close(),
  };
}

/** Counters of all skus of an item together: [available, held, sold, waiting, supplied]. */
export function totals(item, stock) {
  const sum = [0, 0, 0, 0, 0];
  for (const sku of item.skus) (stock?.[sku] ?? []).forEach((value, index) => (sum[index] += value));
  return sum;
}

/** The skus that fit the options chosen so far. */
export function fitting(item, chosen) {
  if (!item.options.length) return item.skus;
  return item.skus.filter((sku) => {
    const values = optionsOf(sku);
    return item.options.every((option, index) => !chosen?.[option.axis] || chosen[option.axis] === values[index]);
  });
}
export const isComplete = (item, chosen) => item.options.every((option) => chosen?.[option.axis]);
/** Names of an axis's values; on the wire each is {value, short}. */
export const valuesOf = (option) => (Array.isArray(option.values) ? option.values : Object.keys(option.values)).map((one) => one.value ?? one);
