// One show as signals: the socket's snapshot and frames folded by state.js, who answered what, and how the line is.
import { computed, signal } from "@preact/signals";
import { connect } from "./socket.js";
import { apply } from "./state.js";
import { now, serverNow, skew } from "./ui.js";

const CLAIMS_MAX = 400; // claims remembered to mark chat lines with; twice what a chat holds
const BUTTON_LINES_MAX = 60; // claims made by the button, shown as chat lines of their own

/** Opens the show. `state` is null until the first snapshot; `link` is connecting, open, lost or closed. */
export function openShow({ show, as, snapshot = null, name = "", pass }) {
  const state = signal(snapshot);
  const link = signal("connecting");
  const goodbye = signal(null);
  const claims = signal(new Map()); // comment id -> claim events
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
    const key = event.comment ?? event.reservation;
    const before = map.get(key) ?? [];
    const same = (other) => other.sku === event.sku && other.number === event.number;
    map.set(key, [...before.filter((other) => !same(other)), event]);
    if (map.size > CLAIMS_MAX) map.delete(map.keys().next().value);
    const known = next.chat.some((line) => line.id === event.comment);
    if (!known && ["reserved", "partly", "waiting"].includes(event.outcome) && !before.length) {
      const line = { id: key, kind: "claim", by: event.by, name: event.name, viewer: event.viewer, text: "", at: event.at };
      button.value = [...button.value, line].slice(-BUTTON_LINES_MAX);
    }
    return map;
  };

  // Claims of before this page was open: staff have the list of reservations, a viewer the marks of the chat and the own tickets.
  const seed = (snapshotState) => {
    const map = new Map();
    const marks = snapshotState.marks ?? [];
    const marked = new Set(marks.map((one) => one.comment));
    const own = (snapshotState.me?.tickets ?? []).filter((ticket) => !marked.has(ticket.comment));
    for (const ticket of snapshotState.reservations ?? [...marks, ...own]) {
      const held = ticket.state === "waiting" ? 0 : ticket.quantity;
      const claim = { sku: ticket.sku, number: ticket.number, reserved: held, waiting: ticket.state === "waiting" ? ticket.quantity : 0, position: ticket.position, outcome: ticket.state };
      map.set(ticket.comment, [...(map.get(ticket.comment) ?? []), claim]);
    }
    for (const [key, known] of claims.value) map.set(key, known);
    claims.value = map;
  };

  const setSkew = (server) => {
    if (!server) return;
    skew.ms = Math.max(skew.ms - 50, server - Date.now()); // the least delayed frame is nearest to the truth; drifts back slowly
    if (Math.abs(now.value - serverNow()) > 1500) now.value = serverNow();
  };
  skew.ms = snapshot?.now ? snapshot.now - Date.now() : 0;

  const socket = connect({
    show,
    as,
    name,
    pass,
    onSnapshot(next) {
      skew.ms = next.now - Date.now();
      now.value = serverNow();
      state.value = next;
      seed(next);
      for (const listen of listeners) listen([{ t: "snapshot" }]);
    },
    onFrame(frame) {
      setSkew(frame.now);
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
    const values = sku.split("/").slice(1);
    return item.options.every((option, index) => !chosen?.[option.axis] || chosen[option.axis] === values[index]);
  });
}
export const isComplete = (item, chosen) => item.options.every((option) => chosen?.[option.axis]);
/** Names of an axis's values; on the wire each is {value, short}. */
export const valuesOf = (option) => (Array.isArray(option.values) ? option.values : Object.keys(option.values)).map((one) => one.value ?? one);
