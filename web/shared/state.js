// The state of a show on a page: a snapshot, and how each wire event changes it. Pure; the changes themselves stand with
// their kinds (kinds/), the server's twins in livecommerce/shows/kinds/. Snapshot and events: docs/shows.md.
import { changeOf } from "./kinds.js";

/**
 * @typedef {{t: string, [field: string]: any}} WireEvent
 * @typedef {{epoch: string, offset: string, show: object, items: object[], stock: Object<string, number[]>,
 *   pin: object|null, chat: object[], settings: object, notice: string|null, viewers: number, media: object,
 *   me: {by: string, name: string, muted_until: number, banned: boolean, tickets: object[]},
 *   hidden?: string[], triage?: object[], buyers?: object[], reservations?: object[], words?: string[],
 *   audit?: object[], staff?: {login: string, role: string}}} State
 */

/**
 * The state after one wire event; the given one is left as it was. Unknown events change nothing.
 * @param {State} state
 * @param {WireEvent} event
 * @returns {State}
 */
export function apply(state, event) {
  const change = changeOf(event.t);
  return change ? change(state, event) : state;
}
