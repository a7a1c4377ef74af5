// Publishes a camera by WHIP (RFC 9725).
import { Session } from "./stream_session.js";

/** @typedef {import("./stream_session.js").Options} Options */

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

  /** Another camera or microphone without a new session; the first camera of a session without one begins another. */
  async replace(stream) {
    const kinds = (tracks) => tracks.map(({ kind }) => kind).sort().join();
    const isOther = kinds(stream.getTracks()) !== kinds(this.stream.getTracks());
    this.stream = stream;
    if (isOther) return this.retry();
    for (const sender of this.connection?.getSenders() ?? []) {
      const track = stream.getTracks().find(({ kind }) => kind === sender.track?.kind);
      if (track) await sender.replaceTrack(track);
    }
    return undefined;
  }

  /** Only a wanted stop ends the stream; a reconnect replaces the session, and a reload may come back within a minute. */
  mayDelete() {
    return this.wantsEnd === true;
  }

  /** @param {{endsStream?: boolean}} options false when the server has ended it already: its session is gone there (404) */
  stop({ endsStream = true } = {}) {
    this.wantsEnd = endsStream;
    super.stop();
    this.wantsEnd = false;
  }
}

/** Begins to publish. @param {MediaStream} stream @param {Options & {maxKbps?: number}} options */
export function publish(stream, options) {
  const publisher = new Publisher(stream, options);
  publisher.start();
  return publisher;
}
