// Plays a show by the fastest way there is: WebRTC (whep.js), else HLS (hls_player.js, loaded only then).
// Comes in: the addresses of both. Goes out: the states and figures of stream_session.js, whichever way it plays.
import { Player } from "./whep.js";

const CONNECT_MS = 6000; // WebRTC that has not connected by now is blocked on the way: most networks need one second
const OFF_AIR = new Set(["stream_unknown", "picture_closed"]); // HLS would say the same
const FINAL = new Set(["banned", "show_over"]); // said of the viewer or the show, not of the way: nothing else is tried
const AGAIN_MS = 120_000; // while HLS plays, WebRTC is tried again behind it: the viewer may have left the café

/** @typedef {import("./stream_session.js").Options & {hlsUrl: string, onpath?: (path: "webrtc"|"hls") => void}} PlaybackOptions */

/** The ladder. `path` says which way it plays. */
export class Playback {
  /** @param {HTMLVideoElement} video @param {PlaybackOptions} options */
  constructor(video, options) {
    this.video = video;
    this.options = options;
    this.state = "idle";
    this.error = null;
    this.path = "webrtc";
    this.player = null;
    this.ononline = () => this.#tryAgain();
  }

  start() {
    addEventListener("online", this.ononline);
    this.#webrtc();
  }

  stop() {
    removeEventListener("online", this.ononline);
    this.#clear();
    this.setState("closed");
  }

  setState(state, error = null) {
    if (state === this.state && !error) return;
    this.state = state;
    this.error = error;
    this.options.onstate?.({ state, ...(error ? { error } : {}) });
  }

  stats() {
    return this.player?.stats() ?? Promise.resolve(null);
  }

  /** Which picture is on the screen. @param {VideoFrameCallbackMetadata|{}} frame */
  position(frame) {
    return this.player?.position(frame) ?? null;
  }

  #clear() {
    clearTimeout(this.timer);
    this.trial?.stop();
    this.trial = null;
    const { player } = this;
    this.player = null;
    player?.stop();
  }

  #setPath(path) {
    this.path = path;
    this.options.onpath?.(path);
  }

  #webrtc() {
    this.#clear();
    this.#setPath("webrtc");
    let offAir = false; // the server said that nothing is on air: HLS would say the same
    const player = new Player(this.video, {
      ...this.options,
      onstate: ({ state, error }) => {
        if (this.player !== player) return;
        offAir = error ? OFF_AIR.has(error.code) : state === "waiting" && offAir;
        if (state === "live") this.timer = clearTimeout(this.timer);
        else this.timer ??= setTimeout(judge, CONNECT_MS); // it played, and lost its way
        // Full, or no H.264 in this browser's WebRTC: waiting would not help.
        if (state === "refused" && FINAL.has(error?.code)) this.setState(state, error);
        else if (state === "refused" || error?.code === "busy") this.#hls();
        else this.setState(state, error);
      },
    });
    this.player = player;
    const judge = () => {
      const way = player.connection?.connectionState;
      if (way === "connected" || offAir) this.timer = setTimeout(judge, CONNECT_MS);
      else this.#hls();
    };
    this.timer = setTimeout(judge, CONNECT_MS);
    player.start();
  }

  async #hls() {
    this.#clear();
    this.#setPath("hls");
    const loaded = await import("./hls_player.js").catch(() => null);
    if (this.path !== "hls" || this.player || this.state === "closed") return;
    if (!loaded) {
      this.timer = setTimeout(() => this.#webrtc(), CONNECT_MS); // the network is gone altogether
      return;
    }
    const player = new loaded.HlsPlayer(this.video, {
      ...this.options,
      onstate: ({ state, error }) => this.player === player && this.setState(state, error),
    });
    this.player = player;
    this.timer = setTimeout(() => this.#tryAgain(), AGAIN_MS);
    player.start();
  }

  /** Connects WebRTC to an element nobody sees; only when pictures come does the page change over. */
  #tryAgain() {
    if (this.path !== "hls" || !this.player || this.trial) return;
    clearTimeout(this.timer);
    const trial = new Player(Object.assign(document.createElement("video"), { muted: true, playsInline: true }), {
      ...this.options,
      onstate: ({ state }) => {
        if (state === "live" && this.trial === trial) this.#webrtc();
      },
    });
    this.trial = trial;
    this.timer = setTimeout(() => {
      trial.stop();
      this.trial = null;
      this.timer = setTimeout(() => this.#tryAgain(), AGAIN_MS);
    }, CONNECT_MS);
    trial.start();
  }
}

/** Begins to play. @param {HTMLVideoElement} video @param {PlaybackOptions} options */
export function play(video, options) {
  const playback = new Playback(video, options);
  playback.start();
  return playback;
}
