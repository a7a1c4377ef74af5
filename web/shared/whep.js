// Plays a show by WHEP, tells the server how large its picture is and how often it froze.
import { Session } from "./stream_session.js";

const REPORT_MS = 10_000; // freezes are told the server no more often, and each page at its own moment
const HIDDEN_MS = 5000; // a page out of sight for so long gets sound alone; who only glances elsewhere finds the picture running
const SIZE_MS = 500; // a window being dragged tells its size so often
const SIZE_STEP = 90; // lines; smaller changes choose no other layer
const DENSITY_MAX = 2; // beyond that nobody sees more in a moving picture

/** @typedef {import("./stream_session.js").Options} Options */

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
      const play = () => {
        stream.addTrack(track);
        if (this.video.srcObject !== stream) this.video.srcObject = stream;
        this.video.play().catch(() => {}); // blocked autoplay with sound: the page offers its unmute button
      };
      // An element with a picture that never comes plays no sound either: the picture joins with its first packet.
      if (track.kind === "video" && track.muted) track.addEventListener("unmute", play, { once: true });
      else play();
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

/** Begins to play. @param {HTMLVideoElement} video @param {Options} options */
export function play(video, options) {
  const player = new Player(video, options);
  player.start();
  return player;
}
