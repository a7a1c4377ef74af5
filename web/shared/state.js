// The state of a show on a page: a snapshot, and how each wire event changes it. Pure; the server's twin is
// livecommerce/shows/state.py. Snapshot and events are described in docs/shows.md.

/**
 * @typedef {{t: string, [field: string]: any}} WireEvent
 * @typedef {{epoch: string, offset: string, show: object, items: object[], stock: Object<string, number[]>,
 *   pin: object|null, chat: object[], settings: object, notice: string|null, viewers: number, media: object,
 *   me: {by: string, name: string, muted_until: number, banned: boolean, tickets: object[]},
 *   hidden?: string[], triage?: object[], buyers?: object[], reservations?: object[], words?: string[],
 *   audit?: object[], staff?: {login: string, role: string}}} State
 */

export const CHAT_MAX = 200; // lines a page keeps; the snapshot brings 60
const RESERVATIONS_MAX = 500; // as on the server; older ones are asked for
const AUDIT_MAX = 50;
const TICKETS_MAX = 200;

/** The list with `one` in the place of the entry of the same key, or at its end. */
function put(list, one, key) {
  const at = list.findIndex((other) => other[key] === one[key]);
  return at < 0 ? [...list, one] : list.with ? list.with(at, one) : list.map((other, index) => (index === at ? one : other));
}

const without = (list, value, key) => list.filter((one) => one[key] !== value);
const bare = ({ t: _kind, ...fields }) => fields;

const CHANGES = {
  chat(state, event) {
    const known = state.chat.find((line) => line.id === event.id);
    const line = bare(event);
    // A line that comes again: shown after being hidden, or let through after being held.
    const chat = known && !known.held ? put(state.chat, line, "id") : [...without(state.chat, line.id, "id"), line];
    return { ...state, chat: chat.slice(-CHAT_MAX) };
  },
  stock: (state, event) => ({ ...state, stock: { ...state.stock, ...event.items } }),
  pin: (state, event) => ({ ...state, pin: bare(event) }),
  item: (state, event) => ({ ...state, items: put(state.items, event.item, "code") }),
  item_gone: (state, event) => ({ ...state, items: without(state.items, event.code, "code") }),
  stage(state, event) {
    const started = event.stage === "live" && !state.show.started_ms ? { started_ms: event.at } : {};
    return { ...state, show: { ...state.show, stage: event.stage, ...started } };
  },
  media: (state, event) => ({ ...state, media: bare(event) }),
  hidden(state, event) {
    if (state.hidden) {
      const hidden = state.hidden.filter((comment) => comment !== event.comment);
      return { ...state, hidden: event.hidden ? [...hidden, event.comment] : hidden };
    }
    return event.hidden ? { ...state, chat: without(state.chat, event.comment, "id") } : state;
  },
  settings: (state, event) => ({ ...state, settings: { ...state.settings, ...bare(event) } }),
  notice: (state, event) => ({ ...state, notice: event.text }),
  ticket(state, event) {
    const ticket = bare(event);
    if (state.reservations) return { ...state, reservations: put(state.reservations, ticket, "id").slice(-RESERVATIONS_MAX) };
    if (!state.me) return state;
    const known = state.me.tickets.some((one) => one.id === ticket.id);
    const tickets = known ? put(state.me.tickets, ticket, "id") : [ticket, ...state.me.tickets].slice(0, TICKETS_MAX);
    return { ...state, me: { ...state.me, tickets } };
  },
  you: (state, event) => (state.me ? { ...state, me: { ...state.me, ...bare(event) } } : state),
  triage: (state, event) => (state.triage ? { ...state, triage: put(state.triage, bare(event), "comment") } : state),
  triage_done: (state, event) => (state.triage ? { ...state, triage: without(state.triage, event.comment, "comment") } : state),
  buyer: (state, event) => (state.buyers ? { ...state, buyers: put(state.buyers, bare(event), "viewer") } : state),
  words(state, event) {
    if (!state.words) return state;
    const words = new Set(state.words);
    for (const word of event.added) words.add(word);
    for (const word of event.removed) words.delete(word);
    return { ...state, words: [...words].sort() };
  },
  audit(state, event) {
    if (!state.audit) return state;
    const entry = bare(event);
    const known = state.audit.some((one) => one.id === entry.id);
    if (!known && entry.undone) return state; // an old entry, marked as undone after it left this list
    return { ...state, audit: put(state.audit, entry, "id").slice(-AUDIT_MAX) };
  },
};

/**
 * The state after one wire event; the given one is left as it was. Unknown events change nothing.
 * @param {State} state
 * @param {WireEvent} event
 * @returns {State}
 */
export function apply(state, event) {
  const change = CHANGES[event.t];
  return change ? change(state, event) : state;
}

/**
 * The state after a frame.
 * @param {State} state
 * @param {{t: string, n: number, ev: WireEvent[]}} frame
 * @returns {State}
 */
export function applyFrame(state, frame) {
  return { ...frame.ev.reduce(apply, state), offset: frame.t, viewers: frame.n };
}
