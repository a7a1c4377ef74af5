// An offer after waiting: a ribbon at the top with its time, a sound, a buzz and the title, until it is taken, let go or over.
import { nameOf, t } from "../shared/i18n.js";
import { Countdown, Icon, computed, effect, html, now, serverNow, signal, toast, untracked } from "../shared/ui.js";
import { labelOf, totalOf } from "../shared/verdict.js";
import { live, ribbon, showRibbon } from "./room.js";

const LAST_CALL_MS = 60_000; // a second sound for who has left the screen alone
const BLINK_MS = 1000;
const LAPSED_SECONDS = 20;
const BUZZ_MS = [200, 120, 200];

const mine = () => live.me.value?.tickets ?? [];
/** Offers that stand, the one that ends first before the others. */
export const offers = computed(() => mine().filter((ticket) => ticket.state === "offered").sort((a, b) => a.deadline_ms - b.deadline_ms));
const lapsed = signal(null); // the offer that has just run out
const busy = signal(false);
const turn = () => import("./turn.js");
const sure = signal(null); // id of the offer that is about to be let go

// Browsers give sound only after a touch or a key; and who has muted the show has muted this too.
const video = document.getElementById("video");
let speaker = null;
const wake = () => {
  speaker ??= window.AudioContext ? new AudioContext() : null;
  if (speaker?.state === "suspended") speaker.resume();
};
for (const gesture of ["pointerup", "keydown"]) addEventListener(gesture, wake, { passive: true });

function ring() {
  if (navigator.userActivation?.hasBeenActive ?? true) navigator.vibrate?.(BUZZ_MS); // untouched pages may not buzz
  if (!speaker || speaker.state !== "running" || video.muted) return;
  document.body.dataset.rung = String(Number(document.body.dataset.rung ?? 0) + 1);
  for (const [index, hertz] of [660, 880, 1175].entries()) {
    const at = speaker.currentTime + index * 0.18;
    const [tone, volume] = [speaker.createOscillator(), speaker.createGain()];
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.25, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
    tone.connect(volume).connect(speaker.destination);
    tone.start(at);
    tone.stop(at + 0.4);
  }
}

const called = new Map(); // id -> whether the last call has been made; an offer is rung for once, whatever comes again
let before = new Set(); // ids of the offers that stood
let lapseTimer = 0;
effect(() => {
  const standing = offers.value;
  untracked(() => {
    const ids = new Set(standing.map((ticket) => ticket.id));
    const gone = mine().find((ticket) => before.has(ticket.id) && !ids.has(ticket.id) && ticket.state === "expired");
    before = ids;
    if (gone) {
      lapsed.value = gone;
      clearTimeout(lapseTimer);
      lapseTimer = setTimeout(() => (lapsed.value = null), LAPSED_SECONDS * 1000);
    }
    const fresh = standing.filter((ticket) => !called.has(ticket.id));
    for (const ticket of fresh) called.set(ticket.id, ticket.deadline_ms - serverNow() <= LAST_CALL_MS);
    if (fresh.length) {
      lapsed.value = null;
      // "You are next" must not stand beside "it is your turn".
      if (ribbon.peek()?.lines?.some((line) => line.waiting && fresh.some((ticket) => ticket.id === line.reservation))) showRibbon(null);
      ring();
    }
  });
});
effect(() => {
  const at = now.value;
  untracked(() => {
    for (const ticket of offers.value) {
      if (called.get(ticket.id) || ticket.deadline_ms - at > LAST_CALL_MS) continue;
      called.set(ticket.id, true);
      ring();
    }
  });
});

let plainTitle = null;
let blink = 0;
effect(() => {
  const standing = offers.value.length > 0;
  const words = t("watch.offer_title");
  clearInterval(blink);
  if (plainTitle !== null) document.title = plainTitle;
  if (!standing) return;
  plainTitle = document.title;
  const turn = () => (document.title = document.title === plainTitle ? `● ${words}` : plainTitle);
  turn();
  blink = setInterval(turn, BLINK_MS);
});

const titleOf = (ticket) => `${labelOf(ticket, live.item(ticket.code))} ×\u00a0${ticket.quantity - (ticket.waiting ?? 0)}`;

export function Offer() {
  const [ticket, ...more] = offers.value;
  if (!ticket && !lapsed.value) return html`<div class="sr" aria-live="assertive"></div>`;
  if (!ticket) return html`<section class="offer over" role="alert"><p class="grow"><b>${t("watch.offer_over")}</b>
    <span>${titleOf(lapsed.value)} · ${t("watch.offer_over_hint")}</span></p>
    <button class="icon" type="button" aria-label=${t("common.close")} onClick=${() => (lapsed.value = null)}><${Icon} name="close" /></button></section>`;
  const act = async (what) => {
    busy.value = true;
    await what(ticket.id);
    busy.value = false;
  };
  const letGo = () => (sure.value === ticket.id ? act(async (id) => (await turn()).cancel(id)) : (sure.value = ticket.id)); // a slip of the thumb gives no turn away
  const accept = () => act(async (id) => (await (await turn()).take(id)) && toast(t("watch.offer_taken")));
  return html`<section class="offer" aria-label=${t("watch.offer_title")}>
    <p class="grow" aria-live="assertive"><b>${t("watch.offer_title")}${more.length > 0 && html` <i class="badge">${more.length + 1}</i>`}</b>
      <span class="thing">${titleOf(ticket)} · ${totalOf([ticket], ticket.currency).text}</span><span class="sr">${t("watch.offer_how", { item: nameOf(live.item(ticket.code) ?? ticket) })}</span></p>
    <${Countdown} until=${ticket.deadline_ms} />
    <div class="row acts"><button class="btn small take" type="button" disabled=${busy.value} onClick=${accept}>${t("watch.offer_take")}</button>
      <button class="btn small line" type="button" disabled=${busy.value} onClick=${letGo} onBlur=${() => (sure.value = null)}>${t(sure.value === ticket.id ? "watch.offer_drop_sure" : "watch.offer_drop")}</button></div>
  </section>`;
}
