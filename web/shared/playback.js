// Plays a show by the fastest way there is: WebRTC (WHEP), else the browser's own HLS, else hls.js, loaded only then.
// Comes in: the addresses of both. Goes out: the states and figures of whip.js, whichever way it plays.
import { Player } from "./whip.js";

const CONNECT_MS = 6000; // WebRTC that has not connected by now is blocked on the way: most networks need one second
const AGAIN_MS = 120_000; // while HLS plays, WebRTC is tried again behind it: the viewer may have left the café
const RETRY_MS = [500, 1000, 2000, 4000]; // of HLS, then every 4 s
const STALL_MS = 12_000; // three segments without a new frame: begin anew
const CHECK_MS = 1000;

/** @typedef {import("./whip.js").Options & {hlsUrl: string, onpath?: (path: "webrtc"|"hls") => void}} PlaybackOptions */

const isApple = () => /Apple/.test(navigator.vendor);
const hasNativeHls = (video) => video.canPlayType("application/vnd.apple.mpegurl") !== "";
const hasMediaSource = () => "MediaSource" in window || "ManagedMediaSource" in window;

/** HLS in a <video>, with the interface of whip.js's Player. */
class HlsPlayer {
  constructor(video, options) {
    this.video = video;
    this.options = options;
    this.state = "idle";
    this.attempt = 0;
    this.progress = { count: -1, at: 0 };
    this.onended = () => this.retry();
    this.onerror = () => this.retry();
  }

  setState(state, error = null) {
    if (state === this.state && !error) return;
    this.state = state;
    this.options.onstate?.({ state, ...(error ? { error } : {}) });
  }

  start() {
    this.attempt = 0;
    this.#connect();
  }

  async #connect() {
    this.setState("connecting");
    const { video } = this;
    video.srcObject = null;
    this.progress = { count: -1, at: performance.now() };
    this.watch = setInterval(() => this.#check(), CHECK_MS);
    if (hasNativeHls(video) && (isApple() || !hasMediaSource())) {
      video.addEventListener("ended", this.onended);
      video.addEventListener("error", this.onerror);
      video.src = this.options.hlsUrl;
      video.play().catch(() => {}); // blocked autoplay with sound: the page offers its unmute button
      return;
    }
    const turn = this.attempt;
    try {
      const { default: Hls } = await import("hls.js");
      if (this.state !== "connecting" || turn !== this.attempt) return;
      const hls = new Hls({
        lowLatencyMode: true,
        enableWorker: false, // fMP4 goes through as it is, and the page's policy knows no blob: scripts
        backBufferLength: 10,
        maxLiveSyncPlaybackRate: 1.1, // catches up after a stall without anybody hearing it
      });
      this.hls = hls;
      let healed = false;
      hls.on(Hls.Events.ERROR, (_, data) => {
        if (!data.fatal || this.hls !== hls) return;
        if (data.type === Hls.ErrorTypes.MEDIA_ERROR && !healed) {
          healed = true;
          hls.recoverMediaError();
        } else this.retry({ number: data.response?.code ?? 0, code: data.details, reason: data.error?.message ?? data.details });
      });
      hls.on(Hls.Events.MANIFEST_PARSED, () => video.play().catch(() => {}));
      hls.loadSource(this.options.hlsUrl);
      hls.attachMedia(video);
    } catch (fault) {
      this.retry({ number: 0, code: "browser", reason: String(fault) });
    }
  }

  #check() {
    const count = this.video.getVideoPlaybackQuality?.().totalVideoFrames ?? 0;
    if (count !== this.progress.count) {
      this.progress = { count, at: performance.now() };
      if (count > 0) {
        this.attempt = 0;
        this.setState("live");
      }
    } else if (performance.now() - this.progress.at > STALL_MS && !document.hidden && !this.video.paused) this.retry();
  }

  retry(error = null) {
    this.#forget();
    const wait = RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)] * (0.5 + Math.random() / 2);
    this.setState("waiting", error);
    this.timer = setTimeout(() => this.#connect(), wait);
  }

  #forget() {
    clearTimeout(this.timer);
    clearInterval(this.watch);
    this.video.removeEventListener("ended", this.onended);
    this.video.removeEventListener("error", this.onerror);
    this.hls?.destroy();
    this.hls = null;
    if (this.video.hasAttribute("src")) {
      this.video.removeAttribute("src");
      this.video.load();
    }
  }

  stop() {
    this.#forget();
    this.setState("closed");
  }

  /** When the picture on the screen reached the server: `{date: ms}`, null where the playlist does not say. */
  position() {
    const start = this.video.getStartDate?.();
    const date = this.hls ? this.hls.playingDate : start && new Date(Number(start) + 1000 * this.video.currentTime);
    return Number.isFinite(date?.getTime()) ? { date: date.getTime() } : null;
  }

  /** As whip.js: `jitterMs` is how far the picture is behind the live edge. */
  async stats() {
    const quality = this.video.getVideoPlaybackQuality?.();
    const { seekable } = this.video;
    const behind = this.hls?.latency ?? (seekable.length ? seekable.end(seekable.length - 1) - this.video.currentTime : 0);
    const frames = quality?.totalVideoFrames ?? 0;
    return { progress: frames, bytes: 0, packets: 0, packetsLost: 0, fps: 0, width: this.video.videoWidth, height: this.video.videoHeight, rttMs: 0,
      freezes: 0, framesDecoded: frames, keyframes: 0, jitterMs: 1000 * behind, limitation: null, kbps: Math.round((this.hls?.bandwidthEstimate ?? 0) / 1000), at: performance.now() };
  }
}

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
        offAir = error ? error.code === "stream_unknown" : state === "waiting" && offAir;
        if (state === "live") this.timer = clearTimeout(this.timer);
        else this.timer ??= setTimeout(judge, CONNECT_MS); // it played, and lost its way
        // Full, or no H.264 in this browser's WebRTC: waiting would not help.
        if (state === "refused" || error?.code === "busy") this.#hls();
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

  #hls() {
    this.#clear();
    this.#setPath("hls");
    const player = new HlsPlayer(this.video, {
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
