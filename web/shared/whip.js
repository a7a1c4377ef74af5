// WHIP publish (RFC 9725) and WHEP play over RTCPeerConnection: connects, watches itself, connects again.
// Comes in: an address and a stream or a <video>. Goes out: states by `onstate`, figures by `stats()`.

const RETRY_MS = [300, 600, 1200, 2500, 5000]; // then every 5 s, each times 0.5 to 1 so that viewers do not return as one
const STALL_MS = 6000; // connected but no new frames for this long: begin anew
const GONE_MS = 1500; // the path has been interrupted for so long: the server was restarted or the network is gone
const CHECK_MS = 500;
const OFFER_TIMEOUT_MS = 8000;
const REPORT_MS = 10_000; // freezes are told the server no more often, and each page at its own moment
const HIDDEN_MS = 5000; // a page out of sight for so long gets sound alone; who only glances elsewhere finds the picture running
const SIZE_MS = 500; // a window being dragged tells its size so often
const SIZE_STEP = 90; // lines; smaller changes choose no other layer
const DENSITY_MAX = 2; // beyond that nobody sees more in a moving picture

/**
 * @typedef {"idle"|"connecting"|"live"|"waiting"|"refused"|"closed"} State
 *   waiting: will try again by itself; refused: the server said why (see `error`), it will not try again.
 * @typedef {{state: State, error?: {number: number, code: string, reason: string}}} StateChange
 * @typedef {Object} Options
 * @property {string} url WHIP or WHEP address
 * @property {string=} token bearer token; without it the page's cookies speak
 * @property {RTCIceServer[]=} iceServers
 * @property {(change: StateChange) => void=} onstate
 */

class Session {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    /** @type {State} */ this.state = "idle";
    this.error = null;
    this.attempt = 0;
    this.resource = null; // the session's own address, from Location
    /** @type {RTCPeerConnection|null} */ this.connection = null;
    this.timer = 0;
    this.watch = 0;
    this.progress = { count: -1, at: 0 };
    this.connectedAt = 0;
    this.onhide = (event) => event.persisted || this.#forget(true);
  }

  setState(/** @type {State} */ state, error = null) {
    if (state === this.state && !error) return;
    this.state = state;
    this.error = error;
    this.options.onstate?.({ state, ...(error ? { error } : {}) });
  }

  start() {
    if (this.state !== "idle" && this.state !== "closed" && this.state !== "refused") return;
    addEventListener("pagehide", this.onhide);
    this.attempt = 0;
    this.#connect();
  }

  /** Ends the session on both sides. A host's stop ends the stream for its viewers. */
  stop() {
    removeEventListener("pagehide", this.onhide);
    clearTimeout(this.timer);
    this.#forget(true);
    this.setState("closed");
  }

  headers(extra = {}) {
    return this.options.token ? { Authorization: `Bearer ${this.options.token}`, ...extra } : extra;
  }

  async #connect() {
    this.setState("connecting");
    const connection = new RTCPeerConnection({
      iceServers: this.options.iceServers ?? [],
      bundlePolicy: "max-bundle",
    });
    this.connection = connection;
    connection.onconnectionstatechange = () => {
      if (this.connection !== connection) return;
      if (connection.connectionState === "connected") this.connected(connection);
      if (["failed", "closed"].includes(connection.connectionState)) this.retry();
    };
    try {
      await this.prepare(connection);
      await connection.setLocalDescription(await connection.createOffer());
      const response = await fetch(this.options.url, {
        method: "POST",
        headers: this.headers({ "Content-Type": "application/sdp" }),
        body: connection.localDescription.sdp,
        signal: AbortSignal.timeout(OFFER_TIMEOUT_MS),
      });
      if (this.connection !== connection) return;
      if (response.status !== 201) return this.#refused(response);
      this.resource = new URL(response.headers.get("Location"), response.url).href;
      this.accepted(response);
      await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
      this.progress = { count: -1, at: performance.now() };
      this.connectedAt = performance.now();
      this.watch = setInterval(() => this.#check(connection), CHECK_MS);
    } catch (fault) {
      if (this.connection === connection) this.retry({ number: 0, code: "browser", reason: String(fault) });
    }
  }

  async #refused(response) {
    const body = await response.json().catch(() => ({}));
    const error = body.error ?? { number: response.status, code: "http", reason: response.statusText };
    // Not live yet, busy, or ours from before a reload: worth another try. A refused offer or token is not.
    if (response.status === 404 || response.status === 409 || response.status === 429 || response.status >= 500) {
      this.retry(error);
    } else {
      this.#forget(false);
      this.setState("refused", error);
    }
  }

  retry(error = null) {
    this.#forget(true);
    clearTimeout(this.timer);
    const wait = RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)] * (0.5 + Math.random() / 2);
    this.setState("waiting", error);
    this.timer = setTimeout(() => this.#connect(), wait);
  }

  async #check(connection) {
    if (connection.connectionState !== "disconnected") this.connectedAt = performance.now();
    else if (performance.now() - this.connectedAt > GONE_MS) return this.retry();
    const stats = await this.stats();
    if (this.connection !== connection) return;
    if (stats) this.measured(stats);
    const count = stats?.progress ?? 0;
    if (count !== this.progress.count) {
      this.progress = { count, at: performance.now() };
      if (count > 0) {
        this.attempt = 0;
        this.setState("live");
      }
    } else if (performance.now() - this.progress.at > STALL_MS && !document.hidden) this.stalled();
  }

  #forget(withDelete) {
    clearInterval(this.watch);
    this.left();
    const { connection, resource } = this;
    this.connection = this.resource = null;
    connection?.close();
    // keepalive lets the goodbye leave even while the page goes away
    if (resource && withDelete && this.mayDelete()) {
      fetch(resource, { method: "DELETE", headers: this.headers(), keepalive: true }).catch(() => {});
    }
  }

  accepted() {}
  connected() {}
  measured() {}
  left() {}
  stalled() {
    this.retry();
  }
  mayDelete() {
    return true;
  }

  /** Sums over getStats: kbps needs two calls. `progress` grows while media flows. */
  async stats() {
    const connection = this.connection;
    if (!connection) return null;
    const found = { progress: 0, bytes: 0, packetsLost: 0, packets: 0, fps: 0, width: 0, height: 0, rttMs: null, freezes: 0, frozenMs: 0,
      framesDecoded: 0, keyframes: 0, jitterMs: null, limitation: null, at: performance.now() };
    for (const entry of (await connection.getStats()).values()) {
      const isVideo = entry.kind === "video";
      if (entry.type === "inbound-rtp" || entry.type === "outbound-rtp") {
        found.bytes += entry.bytesReceived ?? entry.bytesSent ?? 0;
        found.packets += entry.packetsReceived ?? entry.packetsSent ?? 0;
        found.packetsLost += entry.packetsLost ?? 0;
        found.progress += entry.framesDecoded ?? entry.framesEncoded ?? (isVideo ? 0 : entry.packetsReceived ?? 0);
      }
      if (isVideo && (entry.type === "inbound-rtp" || entry.type === "outbound-rtp")) {
        found.fps = entry.framesPerSecond ?? 0;
        found.width = entry.frameWidth ?? 0;
        found.height = entry.frameHeight ?? 0;
        found.freezes = entry.freezeCount ?? 0;
        found.frozenMs = Math.round(1000 * (entry.totalFreezesDuration ?? 0));
        found.framesDecoded = entry.framesDecoded ?? 0;
        found.keyframes = entry.keyFramesDecoded ?? entry.keyFramesEncoded ?? 0;
        found.limitation = entry.qualityLimitationReason ?? null;
        if (entry.jitterBufferEmittedCount) found.jitterMs = (1000 * entry.jitterBufferDelay) / entry.jitterBufferEmittedCount;
      }
      if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime != null) found.rttMs = 1000 * entry.currentRoundTripTime;
    }
    const before = this.before;
    this.before = found;
    const kbps = before && found.at > before.at ? (8 * (found.bytes - before.bytes)) / (found.at - before.at) : 0;
    return { ...found, kbps: Math.max(0, Math.round(kbps)) };
  }
}

/** How many lines of the picture this element shows, in pixels of the screen; null where it is not laid out. */
function linesShown(video) {
  const { clientWidth, clientHeight, videoWidth, videoHeight } = video;
  if (!clientWidth || !clientHeight) return null;
  const byWidth = videoWidth ? (clientWidth * videoHeight) / videoWidth : clientHeight;
  const isCut = getComputedStyle(video).objectFit === "cover";
  const lines = (isCut ? Math.max : Math.min)(byWidth, clientHeight) * Math.min(devicePixelRatio || 1, DENSITY_MAX);
  return Math.max(SIZE_STEP, Math.ceil(lines / SIZE_STEP) * SIZE_STEP);
}

/** Tells the server how large the picture is on this page, so that it sends no larger layer; none while out of sight. */
class PageSize {
  constructor(video, url, headers) {
    this.video = video;
    this.url = url;
    this.headers = headers;
    this.told = null;
    this.timer = 0;
    this.onchange = () => (this.timer ||= setTimeout(() => this.#tell(), SIZE_MS));
    this.onvisibility = () => {
      clearTimeout(this.timer);
      this.timer = document.hidden ? setTimeout(() => this.#tell(), HIDDEN_MS) : 0;
      if (!document.hidden) this.#tell();
    };
    this.observer = new ResizeObserver(this.onchange);
    this.observer.observe(video);
    video.addEventListener("resize", this.onchange);
    document.addEventListener("visibilitychange", this.onvisibility);
    this.onvisibility();
  }

  #tell() {
    this.timer = 0;
    const isUnseen = document.hidden && document.pictureInPictureElement !== this.video;
    const maxHeight = isUnseen ? 0 : linesShown(this.video);
    if (maxHeight === null || maxHeight === this.told) return;
    this.told = maxHeight;
    const body = JSON.stringify({ maxHeight });
    fetch(this.url, { method: "POST", headers: { ...this.headers, "Content-Type": "application/json" }, body }).catch(() => {
      this.told = null; // told again with the next change
    });
  }

  stop() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    this.video.removeEventListener("resize", this.onchange);
    document.removeEventListener("visibilitychange", this.onvisibility);
  }
}

/** The address that a Link header gives for the choice of layers (WHEP's extension). */
function layerUrl(response) {
  const link = /<([^>]*)>\s*;\s*rel="?urn:ietf:params:whep:ext:core:layer/.exec(response.headers.get("Link") ?? "");
  return link && new URL(link[1], response.url).href;
}

/** Plays a show into a <video>. The element stays; only its stream changes, so a reconnect is one black frame at most. */
export class Player extends Session {
  /** @param {HTMLVideoElement} video @param {Options} options */
  constructor(video, options) {
    super(options);
    this.video = video;
  }

  /** Only the page sees its picture stand still: it tells the server when there is something new. */
  measured({ freezes, frozenMs, at }) {
    if (frozenMs <= this.told || at < this.tellAt) return;
    this.told = frozenMs;
    this.tellAt = at + REPORT_MS * (1 + Math.random() / 2);
    fetch(`${this.resource}/freezes`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ freezes, frozen_ms: frozenMs }),
    }).catch(() => {}); // the next report has the same totals and more
  }

  prepare(connection) {
    this.told = 0;
    this.tellAt = performance.now() + REPORT_MS * Math.random();
    const stream = new MediaStream();
    connection.ontrack = ({ track, receiver }) => {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0; // live selling: freshness before smoothness
      stream.addTrack(track);
      if (this.video.srcObject !== stream) this.video.srcObject = stream;
      this.video.play().catch(() => {}); // blocked autoplay with sound: the page offers its unmute button
    };
    connection.addTransceiver("video", { direction: "recvonly" });
    connection.addTransceiver("audio", { direction: "recvonly" });
  }

  accepted(response) {
    const url = layerUrl(response);
    this.size = url && new PageSize(this.video, url, this.headers());
  }

  left() {
    this.size?.stop();
    this.size = null;
  }

  /** The RTP timestamp of the picture on the screen, the same for all viewers: `{timestamp}`, null where the browser does not say. */
  position({ rtpTimestamp }) {
    const receiver = this.connection?.getReceivers().find(({ track }) => track.kind === "video");
    const timestamp = rtpTimestamp ?? receiver?.getSynchronizationSources?.()[0]?.rtpTimestamp;
    return timestamp === undefined ? null : { timestamp };
  }

  /** No frames is normal while the host is away: the server resumes this very session. Only a dead path is renewed. */
  stalled() {
    const state = this.connection?.connectionState;
    if (state !== "connected" && state !== "connecting") this.retry();
    else if (state === "connecting") this.retry();
    else this.setState("connecting");
  }
}

/** Layers of a picture of so many lines: itself, a half, a quarter; none that would have fewer than 160. From small to large, as browsers expect. */
function layersOf(height, maxKbps) {
  const all = [
    { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 1000 * Math.min(150, maxKbps / 8) },
    { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 1000 * Math.min(500, maxKbps / 3) },
    { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 1000 * maxKbps },
  ];
  return all.filter(({ scaleResolutionDownBy }) => scaleResolutionDownBy === 1 || height / scaleResolutionDownBy >= 160);
}

/** Publishes a MediaStream: H.264 at up to 2.5 Mbit/s, resolution kept before frame rate; with `simulcast` in layers. */
export class Publisher extends Session {
  /** @param {MediaStream} stream @param {Options & {maxKbps?: number, simulcast?: boolean}} options */
  constructor(stream, options) {
    super(options);
    this.stream = stream;
  }

  prepare(connection) {
    for (const track of this.stream.getTracks()) {
      if (track.kind === "video") track.contentHint ||= "motion";
      const layers = track.kind === "video" && this.options.simulcast ? layersOf(track.getSettings().height ?? 720, this.maxKbps) : [];
      const sendEncodings = layers.length > 1 ? layers : undefined;
      const transceiver = connection.addTransceiver(track, { direction: "sendonly", streams: [this.stream], ...(sendEncodings && { sendEncodings }) });
      if (track.kind !== "video") continue;
      const codecs = RTCRtpSender.getCapabilities("video").codecs;
      const usable = codecs.filter(({ mimeType, sdpFmtpLine = "" }) => /h264/i.test(mimeType) && /packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=42/.test(sdpFmtpLine));
      const repair = codecs.filter(({ mimeType }) => /rtx/i.test(mimeType));
      if (usable.length) transceiver.setCodecPreferences?.([...usable, ...repair]);
    }
  }

  get maxKbps() {
    return this.options.maxKbps ?? 2500;
  }

  connected(connection) {
    for (const sender of connection.getSenders()) {
      if (sender.track?.kind !== "video") continue;
      const parameters = sender.getParameters();
      parameters.degradationPreference = "maintain-resolution";
      parameters.encodings.at(-1).maxBitrate = 1000 * this.maxKbps;
      sender.setParameters(parameters).catch(() => {}); // an old browser keeps its own limits
    }
  }

  /** Another camera or microphone without a new session. */
  async replace(stream) {
    this.stream = stream;
    for (const sender of this.connection?.getSenders() ?? []) {
      const track = stream.getTracks().find(({ kind }) => kind === sender.track?.kind);
      if (track) await sender.replaceTrack(track);
    }
  }

  /** Only a wanted stop ends the stream; a reconnect replaces the session, and a reload may come back within a minute. */
  mayDelete() {
    return this.wantsEnd === true;
  }

  stop() {
    this.wantsEnd = true;
    super.stop();
    this.wantsEnd = false;
  }
}

/** Begins to play. @param {HTMLVideoElement} video @param {Options} options */
export function play(video, options) {
  const player = new Player(video, options);
  player.start();
  return player;
}

/** Begins to publish. @param {MediaStream} stream @param {Options & {maxKbps?: number}} options */
export function publish(stream, options) {
  const publisher = new Publisher(stream, options);
  publisher.start();
  return publisher;
}
