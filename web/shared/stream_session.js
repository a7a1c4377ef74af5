// A session of WHIP (RFC 9725, whip.js) or WHEP (whep.js) over RTCPeerConnection: connects, watches itself, connects again.
// Comes in: an address. Goes out: states by `onstate`, figures by `stats()`.

const RETRY_MS = [300, 600, 1200, 2500, 5000]; // then every 5 s, each times 0.5 to 1 so that viewers do not return as one
const STALL_MS = 6000; // connected but no new frames for this long: begin anew
const GONE_MS = 1500; // the path has been interrupted for so long: the server was restarted or the network is gone
const CHECK_MS = 500;
const OFFER_TIMEOUT_MS = 8000;

/**
 * @typedef {"idle"|"connecting"|"live"|"waiting"|"refused"|"closed"} State
 *   waiting: will try again by itself; refused: the server said why (see `error`), it will not try again.
 * @typedef {{state: State, error?: {number: number, code: string, reason: string}}} StateChange
 * @typedef {Object} Options
 * @property {string} url WHIP or WHEP address
 * @property {string=} token bearer token; without it the page's cookies speak
 * @property {(RTCIceServer[]|(() => Promise<RTCIceServer[]>))=} iceServers
 * @property {(change: StateChange) => void=} onstate
 */

/** What a page was given, or a function that asks anew where TURN credentials are good for some minutes only. */
export function iceServersOf({ ice_servers: given = [], urls }) {
  if (!urls?.ice) return given;
  return async () => {
    const answer = await fetch(urls.ice, { signal: AbortSignal.timeout(OFFER_TIMEOUT_MS) }).catch(() => null);
    return answer?.ok ? (await answer.json()).ice_servers : given;
  };
}

export class Session {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    /** @type {State} */ this.state = "idle";
    this.error = null;
    this.attempt = 0;
    this.beginning = 0; // counts connections begun: only the last one goes on
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
    const given = this.options.iceServers ?? [];
    const beginning = ++this.beginning;
    const iceServers = typeof given === "function" ? await given() : given;
    if (beginning !== this.beginning || this.state !== "connecting") return;
    const connection = new RTCPeerConnection({
      iceServers,
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
