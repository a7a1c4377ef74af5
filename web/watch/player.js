// The picture: plays the show by WHEP into the <video> of the page, comes back by itself, says what it is doing.
import { boot, t } from "../shared/i18n.js";
import { Icon, computed, effect, html, signal } from "../shared/ui.js";
import { play } from "../shared/whip.js";
import { live } from "./room.js";

const video = document.getElementById("video");
export const picture = signal("idle"); // idle, connecting, playing, blocked
export const muted = signal(true);
export const delaySeconds = signal(null);

let player = null;
async function start() {
  if (player) return;
  picture.value = "connecting";
  player = play(video, { url: boot.urls.whep, iceServers: boot.ice_servers });
}
video.addEventListener("playing", () => (picture.value = "playing"));
effect(() => {
  const show = live.show.value;
  const on = show?.stage === "live";
  if (on) start();
});
export function toggleSound() {
  video.muted = !video.muted;
  muted.value = video.muted;
  video.play();
}
/** Where the page stands: waiting, connecting, playing, lost, blocked or ended. */
export const phase = computed(() => {
  const stage = live.show.value?.stage;
  if (stage === "ended") return "ended";
  if (stage !== "live") return "waiting";
  if (live.media.value?.state === "lost" || live.media.value?.state === "ended") return "lost";
  return picture.value;
});
export const SoundButton = () => html`<button class=${`chip sound ${muted.value ? "loud" : ""}`} type="button" onClick=${toggleSound} aria-pressed=${!muted.value}><${Icon} name=${muted.value ? "muted" : "sound"} />${t(muted.value ? "watch.unmute" : "watch.mute")}</button>`;
