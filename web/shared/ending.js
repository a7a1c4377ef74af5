// The end of a show, seen by an open page: the replay is asked for until it is there.
import { call } from "../shared/api.js";
import { boot } from "../shared/i18n.js";
import { effect, signal } from "../shared/ui.js";
import { live, showId } from "./room.js";

const FIRST_MS = 8000; // everybody sees the end in the same moment, so nobody asks at once
const THEN_MS = 20_000;
const TRIES_MAX = 12; // a show that is not recorded has none

export const replayUrl = signal(boot.urls.replay ?? null);

let asking = false;
async function ask(tries) {
  const answer = await call("GET", `/api/shows/${showId}/replay`);
  if (answer.ok && answer.replay) replayUrl.value = answer.replay;
  else if (tries < TRIES_MAX) setTimeout(() => ask(tries + 1), THEN_MS * (0.5 + Math.random()));
}
effect(() => {
  if (live.show.value?.stage !== "ended" || replayUrl.peek() || asking) return;
  asking = true;
  setTimeout(() => ask(1), FIRST_MS * Math.random());
});
