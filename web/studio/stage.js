// The host's picture: camera and microphone, going live by WHIP, ending, and what viewers get to see.
import { call, sitePath } from "../shared/api.js";
import { replayOf } from "../shared/ending.js";
import { boot, errorText, knows, t } from "../shared/i18n.js";
import { command, live, mayHost, showId } from "../shared/staff.js";
import { Icon, Sheet, computed, effect, html, signal, toast, untracked, useEffect, useRef } from "../shared/ui.js";
import { Drawn } from "../shared/drawn.js";
import { iceServersOf } from "../shared/stream_session.js";
import { play } from "../shared/whep.js";
import { publish } from "../shared/whip.js";
import { dialog } from "./desk.js";

const replayUrl = replayOf(live, showId, { atOnce: true });
export const camera = signal(null); // MediaStream of this machine
export const devices = signal({ video: [], audio: [] });
export const chosen = signal({ video: "", audio: "" });
export const trouble = signal(null); // what kept the camera from opening
export const publishing = signal("idle"); // idle, connecting, live, waiting (tries again) or refused
export const delaySeconds = signal(null); // measured on this page's own WHEP picture
const soundOff = signal(false);

let publisher = null;

export async function openCamera() {
  trouble.value = null;
  if (!navigator.mediaDevices?.getUserMedia) {
    trouble.value = "insecure";
    return;
  }
  for (const track of camera.value?.getTracks() ?? []) track.stop();
  const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, ...(chosen.value.video && { deviceId: { exact: chosen.value.video } }) };
  const audio = { echoCancellation: true, noiseSuppression: true, ...(chosen.value.audio && { deviceId: { exact: chosen.value.audio } }) };
  try {
    camera.value = await navigator.mediaDevices.getUserMedia({ video, audio });
  } catch (error) {
    // A show can be heard alone; a camera that comes later is opened by the same button.
    const sound = error.name === "NotAllowedError" ? null : await navigator.mediaDevices.getUserMedia({ audio }).catch(() => null);
    trouble.value = sound ? "none" : error.name === "NotAllowedError" ? "denied" : "missing";
    if (!sound) return;
    camera.value = sound;
  }
  const all = await navigator.mediaDevices.enumerateDevices();
  devices.value = { video: all.filter((one) => one.kind === "videoinput"), audio: all.filter((one) => one.kind === "audioinput") };
  await publisher?.replace(camera.value);
}
function pick(kind, id) {
  chosen.value = { ...chosen.value, [kind]: id };
  openCamera();
}

/** Somebody else's picture is on air: an encoder, or the studio on another machine. */
const othersOnAir = computed(() => publishing.value === "idle" && live.media.value?.state === "live");
const isScheduled = () => live.show.value.stage === "scheduled";

/** The button. What cannot be taken back, the first picture of a show and another one's place on air, is asked first. */
async function wishLive() {
  const asks = othersOnAir.value || (isScheduled() && !camera.value);
  if (!camera.value) await openCamera();
  if (!camera.value) return;
  if (asks) dialog.value = "live";
  else goLive();
}
/** Publishes this camera by WHIP; the show begins with its first frame that the relay has. */
export async function goLive() {
  if (!camera.value) await openCamera();
  if (!camera.value || publisher) return;
  remembered(true);
  wasOnAir.value = false;
  publisher = publish(camera.value, {
    url: boot.urls.whip,
    iceServers: iceServersOf(boot),
    maxKbps: boot.publish.max_kbps,
    simulcast: boot.publish.simulcast,
    onstate({ state, error }) {
      publishing.value = state === "closed" ? "idle" : state;
      if (error && error.code !== "browser") toast(errorText(error), { bad: true });
      if (state === "live" && isScheduled()) command("start");
      if (state === "refused") stopCamera({ endsStream: false });
    },
  });
}
// A closed or reloaded page drops the show: the browser asks first, and the next page offers to go on.
const ON_AIR = "lc_on_air";
const remembered = (value) => {
  try {
    if (value === undefined) return localStorage.getItem(ON_AIR) === showId;
    if (value) localStorage.setItem(ON_AIR, showId);
    else if (localStorage.getItem(ON_AIR) === showId) localStorage.removeItem(ON_AIR);
  } catch {
    return false; // no storage: the button beside the picture does the same
  }
  return value;
};
export const wasOnAir = signal(remembered());
addEventListener("beforeunload", (event) => {
  if (publishing.value === "idle" || live.show.value?.stage === "ended") return;
  event.preventDefault();
  event.returnValue = true; // older browsers
});

export function stopCamera({ endsStream = true } = {}) {
  remembered(false);
  wasOnAir.value = false;
  const before = publisher;
  publisher = null;
  before?.stop({ endsStream });
  publishing.value = "idle";
}
export async function endShow() {
  dialog.value = null;
  await command("end");
}
/** The end, whoever gave it: nothing is sent, and the lamps of camera and microphone go out. */
effect(() => {
  if (live.show.value?.stage !== "ended") return;
  untracked(() => {
    stopCamera({ endsStream: false }); // the end of the show ended the stream
    for (const track of camera.value?.getTracks() ?? []) track.stop();
    camera.value = null;
  });
});

export const report = signal(null); // the relay on this stream and its worst viewers' lines, asked for while it is live
const FIGURES_MS = 2000;
const FAIR = ["bitrate_low", "no_audio", "profile_not_baseline", "over_limit", "keyframes_slow", "clock_jumped", "clocks_apart", "starting"]; // worth a look, not worth alarm
effect(() => {
  if (live.media.value?.state !== "live") {
    report.value = null;
    return undefined;
  }
  const read = async () => {
    const answer = await call("GET", `/api/shows/${live.show.peek().id}/stream`);
    if (answer.ok) report.value = { ...answer, at: performance.now(), before: { ...report.peek(), before: null } };
  };
  read();
  const timer = setInterval(read, FIGURES_MS);
  return () => clearInterval(timer);
});

/** The signal in words: what the host should know first, then the rates that arrive at the relay. */
export const signalWords = computed(() => {
  const state = live.media.value?.state;
  if (state !== "live") return { kind: "none", text: t(state === "lost" ? "studio.signal_lost" : "studio.signal_none") };
  const now = report.value?.stream ?? live.media.value;
  const hint = knows(`studio.signal_${now.hint}`) ? now.hint : "good";
  const parts = [t(`studio.signal_${hint}`)];
  if (now.kbps) parts.push(`${(now.kbps / 1000).toFixed(1)} Mbps`);
  if (now.fps) parts.push(`${Math.round(now.fps)} fps`);
  const layers = (now.layers ?? []).filter(({ kbps }) => kbps > 0).map(({ height }) => `${height}p`);
  return { kind: hint === "good" || hint === "sound_alone" ? "good" : FAIR.includes(hint) ? "fair" : "poor", text: parts.join(" · "), layers: layers.length > 1 ? layers.join(" + ") : "" };
});

const hasCamera = () => camera.value?.getVideoTracks().length > 0;
const DrawnShow = () => html`<${Drawn} shop=${live.show.value.shop_name} title=${live.show.value.title} />`;

function OwnPicture() {
  const box = useRef(null);
  useEffect(() => {
    box.current.srcObject = camera.value;
  }, [camera.value]);
  return html`<video ref=${box} class="mirror" playsinline muted autoplay aria-label=${t("studio.preview_own")}></video>${!hasCamera() && html`<${DrawnShow} />`}`;
}
function ViewersPicture() {
  const box = useRef(null);
  useEffect(() => {
    const player = play(box.current, { url: boot.urls.whep, iceServers: iceServersOf(boot) });
    const timer = setInterval(async () => {
      const stats = await player.stats();
      if (stats?.jitterMs) delaySeconds.value = (stats.jitterMs + (stats.rttMs ?? 0) / 2) / 1000;
    }, 2000);
    return () => {
      clearInterval(timer);
      delaySeconds.value = null;
      player.stop();
    };
  }, []);
  return html`<video ref=${box} playsinline muted autoplay aria-label=${t("studio.preview_viewers")}></video>${live.media.value?.picture === false && html`<${DrawnShow} />`}`;
}

const wanted = signal(null); // "own" or "viewers" once chosen by hand
const shown = computed(() => wanted.value ?? (publishing.value === "idle" && live.media.value?.state === "live" ? "viewers" : "own"));

function Select({ kind, label, icon }) {
  const list = devices.value[kind];
  if (list.length < 1) return null;
  const current = camera.value?.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId;
  return html`<label class="device"><${Icon} name=${icon} /><span class="sr">${label}</span>
    <select class="input small" onChange=${(event) => pick(kind, event.currentTarget.value)}>
    ${list.map((one, index) => html`<option key=${one.deviceId} value=${one.deviceId} selected=${one.deviceId === current}>${one.label || `${label} ${index + 1}`}</option>`)}</select>
      </label>`;
}

function toggleSound() {
  soundOff.value = !soundOff.value;
  for (const track of camera.value?.getAudioTracks() ?? []) track.enabled = !soundOff.value;
}

function Controls() {
  const stage = live.show.value.stage;
  const on = publishing.value !== "idle";
  const goesOn = wasOnAir.value && !othersOnAir.value;
  if (stage === "ended") return null;
  return html`${wasOnAir.value && stage === "live" && !on && !othersOnAir.value && mayHost() && html`<p class="was-on-air" role="alert">${t("studio.was_on_air")}</p>`}<div class="row wrap controls">
    ${camera.value
      ? html`<${Select} kind="video" label=${t("studio.camera")} icon="camera" /><${Select} kind="audio" label=${t("studio.microphone")} icon="mic" />
          ${!othersOnAir.value && html`<button class="btn small line" type="button" aria-pressed=${soundOff.value} onClick=${toggleSound}>
            <${Icon} name=${soundOff.value ? "muted" : "mic"} />${t(soundOff.value ? "studio.sound_on" : "studio.sound_off")}</button>`}`
      : html`<button class="btn small line" type="button" onClick=${openCamera}>
        <${Icon} name="camera" />${t("studio.open_camera")}</button>`}
    ${camera.value && !hasCamera() && html`<button class="btn small line" type="button" onClick=${openCamera}><${Icon} name="camera" />${t("studio.open_camera")}</button>
      <span class="muted" role="status">${t("studio.camera_none")}</span>`}
    <span class="grow"></span>
    ${mayHost() && !on && html`<button class=${`btn ${stage === "scheduled" || goesOn ? "" : "line"}`} type="button"
      onClick=${wishLive}>${t(stage === "scheduled" ? "studio.go_live" : goesOn ? "studio.go_on" : "studio.rejoin")}</button>`}
    ${on && html`<button class="btn line" type="button" onClick=${() => stopCamera()}>${t("studio.stop_camera")}</button>`}
  </div>`;
}

/** Asked before this camera takes the air: seen first, and told what it puts an end to. */
export function LiveSheet() {
  const replaces = othersOnAir.value;
  const close = () => (dialog.value = null);
  const go = () => {
    close();
    goLive();
  };
  return html`<${Sheet} title=${t(replaces ? "studio.replace_title" : "studio.live_title")} tone="ink" onClose=${close}
    footer=${html`<div class="row"><button class="btn line grow" type="button" onClick=${close}>${t("studio.live_not")}</button>
      <button class="btn grow" type="button" onClick=${go}>${t(replaces ? "studio.replace_yes" : "studio.live_yes")}</button></div>`}>
    <p>${t(replaces ? "studio.replace_text" : "studio.live_text")}</p><div class="video"><${OwnPicture} /></div>
  <//>`;
}

/** After the end: what there is to do with the show now, in the place of its picture. */
function Over() {
  return html`<section class="over" aria-label=${t("studio.picture")}><h2>${t("studio.over_title")}</h2><p class="muted">${t("studio.over_text")}</p>
    <div class="row wrap"><a class="btn small" href=${sitePath(`/studio?orders=${showId}`)}>${t("studio.over_orders")}</a>
      ${replayUrl.value && html`<a class="btn small line" href=${replayUrl.value}>${t("studio.over_replay")}</a>`}
      ${replayUrl.value && html`<a class="btn small line" href=${sitePath(`/api/shows/${showId}/recording.mp4`)} download=${`${showId}.mp4`}>${t("studio.over_recording")}</a>`}
      <a class="btn small line" href=${sitePath(`/control/${showId}`)}>${t("common.control")}</a><a class="btn small line" href=${sitePath("/studio")}>${t("studio.over_shop")}</a></div></section>`;
}

export function Stage() {
  const media = live.media.value?.state;
  if (live.show.value.stage === "ended") return html`<${Over} />`;
  return html`<section class="picture" aria-label=${t("studio.picture")}>
    <div class="video">
      ${shown.value === "viewers" ? html`<${ViewersPicture} />` : camera.value ? html`<${OwnPicture} />` : html`<div class="no-picture">
        <p>${t(trouble.value ? `studio.camera_${trouble.value}` : "studio.no_camera")}</p></div>`}
      <div class="row corner"><span class="chip">${t(shown.value === "viewers" ? "studio.preview_viewers" : "studio.preview_own")}</span>
        ${publishing.value === "connecting" && html`<span class="chip" role="status">${t("studio.connecting")}</span>`}
        ${publishing.value === "waiting" && html`<span class="chip warn" role="alert">${t("studio.reconnecting")}</span>`}</div>
      ${media === "live" && html`<button class="chip switch" type="button"
        onClick=${() => (wanted.value = shown.value === "viewers" ? "own" : "viewers")}>${t(shown.value === "viewers" ? "studio.see_own" : "studio.see_viewers")}</button>`}
    </div>
    <${Controls} />
  </section>`;
}

export function EndSheet({ summary }) {
  return html`<${Sheet} title=${t("studio.end_title")} tone="ink" onClose=${() => (dialog.value = null)}
    footer=${html`<div class="row"><button class="btn line grow" type="button" onClick=${() => (dialog.value = null)}>${t("studio.end_not")}</button>
      <button class="btn grow" type="button" onClick=${endShow}>${t("studio.end_yes")}</button></div>`}>
    <p>${t("studio.end_text")}</p>${summary}
  <//>`;
}
