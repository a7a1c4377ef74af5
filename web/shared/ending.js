// The end of a show, seen by an open page: the replay is asked for until it is there.
import { call } from "./api.js";
import { boot } from "./i18n.js";
import { effect, signal } from "./ui.js";

const FIRST_MS = 8000; // everybody sees the end in the same moment, so nobody asks at once
const THEN_MS = 20_000;
const TRIES_MAX = 12; // a show that is not recorded has none

/** A signal: the address of the replay of `live`'s show, null until there is one. A page of staff asks `atOnce`. */
export function replayOf(live, showId, { atOnce = false } = {}) {
  const url = signal(boot.urls.replay ?? null);
  let asking = false;
  async function ask(tries) {
    const answer = await call("GET", `/api/shows/${showId}/replay`);
    if (answer.ok && answer.replay) url.value = answer.replay;
    else if (tries < TRIES_MAX) setTimeout(() => ask(tries + 1), THEN_MS * (0.5 + Math.random()));
  }
  effect(() => {
    if (live.show.value?.stage !== "ended" || url.peek() || asking) return;
    asking = true;
    setTimeout(() => ask(1), atOnce ? 0 : FIRST_MS * Math.random());
  });
  return url;
}
