// The picture: plays the show (WHEP, else HLS) into the <video> of the page, comes back by itself, says what it is doing.
import { sitePath } from "../shared/api.js";
import { boot, t } from "../shared/i18n.js";
import { Icon, computed, effect, html, signal, untracked } from "../shared/ui.js";
import { play } from "../shared/playback.js";
import { iceServersOf } from "../shared/stream_session.js";
import { soundAlone } from "./alone.js";
import { Moment } from "./moment.js";
import { live, showId, shownPin } from "./room.js";

const video = document.getElementById("video");
export const picture = signal("idle"); // idle, connecting, playing, blocked or refused
export const muted = signal(true);
export const delaySeconds = signal(null);

const STATS_MS = 2000;
const LOOK_MS = 100; // where the browser does not tell of each picture
let player = null;
let figures = 0;

/** From the server to this screen: half the round trip and what the browser keeps back against jitter. */
async function measure() {
  const stats = await player?.stats();
  if (!stats || stats.jitterMs === null || picture.value !== "playing") return;
  delaySeconds.value = (stats.jitterMs + (stats.rttMs ?? 0) / 2) / 1000;
}
function start() {
  player = play(video, {
    url: boot.urls.whep,
    hlsUrl: boot.urls.hls ?? sitePath(`/live/${showId}/hls/index.m3u8`),
    iceServers: iceServersOf(boot),
    onstate({ state }) {
      if (state === "connecting" || state === "waiting") picture.value = "connecting";
      if (state === "live") picture.value = video.paused ? "blocked" : "playing";
      if (state === "refused") picture.value = "refused";
    },
  });
  figures = setInterval(measure, STATS_MS);
}
function stop() {
  clearInterval(figures);
  player.stop();
  player = null;
  delaySeconds.value = null;
  picture.value = "idle";
}
// A landscape picture on an upright phone keeps its whole width at the top; the chat takes the room below it.
const fit = () => document.body.classList.toggle("wide", !soundAlone.peek() && video.videoWidth > video.videoHeight * 1.1);
video.addEventListener("resize", fit);
soundAlone.subscribe(fit);
video.addEventListener("playing", () => (picture.value = "playing"));
video.addEventListener("volumechange", () => (muted.value = video.muted));

const wanted = computed(() => live.show.value?.stage === "live" && !live.me.value?.banned);
effect(() => {
  const on = wanted.value;
  untracked(() => {
    if (on && !player) start();
    if (!on && player) stop();
  });
});
export function toggleSound() {
  video.muted = !video.muted;
  playVideo();
}
export function playVideo() {
  video.play().then(() => (picture.value = "playing"), () => (picture.value = "blocked"));
}
/** Where the page stands: waiting (before the show), connecting, playing, lost (the host's line), banned, no_picture, blocked, refused or ended. */
export const phase = computed(() => {
  const stage = live.show.value?.stage;
  if (stage === "ended") return "ended";
  if (stage !== "live") return "waiting";
  if (live.me.value?.banned) return "banned";
  const media = live.media.value?.state;
  if (media === "lost") return "lost";
  if (picture.value === "connecting" && media !== "live") return "no_picture"; // on air, but the host's picture has not come yet
  return picture.value;
});
/** Tells the next picture that is shown, null at once where none plays. */
function look(tell) {
  if (phase.peek() !== "playing" || video.paused || document.hidden || soundAlone.peek()) return tell(null);
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((_, frame) => tell(player?.position(frame) ?? null));
  else setTimeout(() => tell(player?.position({}) ?? null), LOOK_MS);
}
const moment = new Moment({ look, show: (pin) => (shownPin.value = pin) });
effect(() => {
  const pin = live.pin.value;
  untracked(() => moment.offer(pin));
});
document.addEventListener("visibilitychange", () => document.hidden && moment.release());

export const SoundButton = () => html`<button class=${`chip sound ${muted.value ? "loud" : ""}`} type="button" onClick=${toggleSound} aria-pressed=${!muted.value}>
  <${Icon} name=${muted.value ? "muted" : "sound"} />${t(muted.value ? "watch.unmute" : "watch.mute")}</button>`;
