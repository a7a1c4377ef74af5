// When a pin may be shown: with the picture it belongs to, and never long after it has come. Pure: pictures, time and
// screen come in.

const LIMITS_MS = { timestamp: 3000, date: 10_000 }; // WebRTC plays within a second, HLS keeps three to eight back
const FAR_MS = 30_000; // further apart than any picture is late: these are two clocks
const WAITING_MAX = 16; // a host pins every few seconds at most
const TICKS_PER_MS = 90;

/**
 * How many milliseconds the picture on the screen still is from the one of the pin; null where nobody can tell.
 * @param {{at: number, media_timestamp?: number|null}} pin
 * @param {{timestamp: number}|{date: number}|null} picture its RTP timestamp (WebRTC), or when it reached the server (HLS)
 */
export function distanceMs(pin, picture) {
  if (Number.isInteger(picture?.timestamp) && Number.isInteger(pin.media_timestamp)) return ((pin.media_timestamp - picture.timestamp) | 0) / TICKS_PER_MS; // wraps at 32 bits
  return Number.isFinite(picture?.date) ? pin.at - picture.date : null;
}

/** Holds pins back. `show(pin)` puts one on the screen; `look(tell)` tells the next picture shown, null at once where none plays. */
export class Moment {
  constructor({ show, look, now = () => performance.now(), after = (ms, then) => setTimeout(then, ms), cancel = (timer) => clearTimeout(timer) }) {
    Object.assign(this, { show, look, now, after, cancel });
    this.waiting = []; // [{pin, since}], oldest first
    this.turn = 0;
  }

  /** A pin has come. What takes a product away is shown at once. */
  offer(pin) {
    if (!pin?.code || pin.pin === this.last?.pin) {
      this.waiting = [];
      this.last = pin;
      return this.#shown(pin);
    }
    this.last = pin;
    this.waiting = [...this.waiting, { pin, since: this.now() }].slice(-WAITING_MAX);
    if (this.waiting.length === 1) this.#watch();
  }

  /** Nothing waits any longer: the page was hidden, or no picture comes. */
  release() {
    const newest = this.waiting.at(-1);
    this.waiting = [];
    if (newest) this.#shown(newest.pin);
  }

  #shown(pin) {
    this.turn += 1;
    this.cancel(this.timer);
    this.show(pin);
    if (this.waiting.length) this.#watch();
  }

  #watch() {
    const turn = ++this.turn;
    this.cancel(this.timer);
    this.timer = this.after(LIMITS_MS.timestamp, () => turn === this.turn && this.release());
    this.look((picture) => turn === this.turn && this.#seen(picture));
  }

  #seen(picture) {
    const limit = LIMITS_MS[picture && "date" in picture ? "date" : "timestamp"];
    const isDue = ({ pin, since }) => {
      const distance = distanceMs(pin, picture);
      return distance === null || distance <= 0 || distance > FAR_MS || this.now() - since >= limit;
    };
    let due = null;
    while (this.waiting.length && isDue(this.waiting[0])) due = this.waiting.shift().pin;
    if (due) this.#shown(due);
    else this.#watch();
  }
}
