// Plays stories to the pages' own moment.js on a clock that the story moves: JSON in, what was shown when out.
import { readFileSync } from "node:fs";
import { Moment, distanceMs } from "../../../web/watch/moment.js";

function play(steps) {
  let now = 0;
  let timer = null;
  let tell = null;
  const shown = [];
  const moment = new Moment({
    show: (pin) => shown.push([now, pin && pin.pin]),
    look: (next) => (plays ? (tell = next) : next(null)),
    now: () => now,
    after: (ms, then) => (timer = { at: now + ms, then }),
    cancel: (old) => old && old === timer && (timer = null),
  });
  let plays = true;
  for (const [at, what, value] of steps) {
    while (timer && timer.at <= at) {
      const due = timer;
      timer = null;
      now = due.at;
      due.then();
    }
    now = at;
    if (what === "pin") moment.offer(value);
    else if (what === "hide") moment.release();
    else if (what === "plays") plays = value;
    else if (what === "picture" && tell) {
      const told = tell;
      tell = null;
      told(value);
    }
  }
  return shown;
}

const { stories, distances } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({ shown: stories.map(play), distances: distances.map(([pin, picture]) => distanceMs(pin, picture)) }));
