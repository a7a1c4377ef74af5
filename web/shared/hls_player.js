// Plays a show by LL-HLS: the browser's own player, else hls.js, loaded only then.
// Comes in: the playlist's address. Goes out: the states and figures of stream_session.js.

const RETRY_MS = [500, 1000, 2000, 4000]; // then every 4 s
const STALL_MS = 12_000; // three segments without a new frame: begin anew
const CHECK_MS = 1000;

const isApple = () => /Apple/.test(navigator.vendor);
const hasNativeHls = (video) => video.canPlayType("application/vnd.apple.mpegurl") !== "";
const hasMediaSource = () => "MediaSource" in window || "ManagedMediaSource" in window;

/** HLS in a <video>, with the interface of whep.js's Player. */
export class HlsPlayer {
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

  /** As stream_session.js: `jitterMs` is how far the picture is behind the live edge. */
  async stats() {
    const quality = this.video.getVideoPlaybackQuality?.();
    const { seekable } = this.video;
    const behind = this.hls?.latency ?? (seekable.length ? seekable.end(seekable.length - 1) - this.video.currentTime : 0);
    const frames = quality?.totalVideoFrames ?? 0;
    return { progress: frames, bytes: 0, packets: 0, packetsLost: 0, fps: 0, width: this.video.videoWidth, height: this.video.videoHeight, rttMs: 0,
      freezes: 0, framesDecoded: frames, keyframes: 0, jitterMs: 1000 * behind, limitation: null, kbps: Math.round((this.hls?.bandwidthEstimate ?? 0) / 1000), at: performance.now() };
  }
}
