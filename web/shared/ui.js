// What every page draws with: htm bound to Preact, icons, the ticket, sheets, toasts and the one clock.
import { h } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { computed, effect, signal, untracked } from "@preact/signals";
import htm from "htm";
import { clock, locale, setLocale, t } from "./i18n.js";

export { computed, effect, signal, untracked, useEffect, useLayoutEffect, useMemo, useRef, useState };
export const html = htm.bind(h);

const PATHS = {
  bag: "M5 8h14l1 12H4zM9 8V6a3 3 0 0 1 6 0v2",
  ticket: "M3 7h18v3a2 2 0 0 0 0 4v3H3v-3a2 2 0 0 0 0-4zM9 8v1M9 11.5v1M9 15v1",
  send: "M12 19V5M6 11l6-6 6 6",
  close: "M6 6l12 12M18 6L6 18",
  muted: "M4 9v6h4l5 4V5L8 9zM17 9.5l5 5M22 9.5l-5 5",
  sound: "M4 9v6h4l5 4V5L8 9zM17 9a4 4 0 0 1 0 6M19.500 6.500a8 8 0 0 1 0 11",
  people: "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500a6.500 6.500 0 0 1 3.500 5.500",
  camera: "M3 7h12v10H3zM15 11l6-3v8l-6-3",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
  down: "M6 9l6 6 6-6",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 10",
  share: "M12 15V4M7 8l5-5 5 5M5 13v7h14v-7",
  search: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l5 5",
};
/** One of ours by name, or any `path` on a field of 24. */
export const Icon = ({ name, path = PATHS[name] }) => html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d=${path} /></svg>`;

// One clock for all countdowns: the server's time, carried on by performance.now(), which no change of the device's clock
// moves. Every frame anchors it anew (live.js); the device's own time is only the guess before the first.
let ahead = Date.now() - performance.now();
export const serverNow = () => performance.now() + ahead;
export const now = signal(serverNow());
const look = () => (now.value = serverNow());
setInterval(look, 1000);
document.addEventListener("visibilitychange", look); // hidden pages have few timers
const DRIFT_MS = 50; // how far one frame may put the clock back
/** The server's time, just heard. Of frames the least delayed is nearest to the truth; a snapshot counts as it is. */
export function anchor(server, exact = false) {
  if (!server) return;
  const heard = server - performance.now();
  ahead = exact ? heard : Math.max(ahead - DRIFT_MS, heard);
  if (exact || Math.abs(now.peek() - serverNow()) > 1500) look();
}

export function Countdown({ until, soonest = 0 }) {
  const left = Math.max(soonest, until - now.value);
  return html`<time class="left" role="timer" aria-live="off">${clock(left)}</time>`;
}

/** The numbered ticket. kind: held, wait, paid, none. */
export function Ticket({ kind = "held", small, number, title, sub, right, gone, children }) {
  const text = String(number ?? "–");
  return html`<div class=${`ticket ${kind === "held" ? "" : kind} ${gone ? "gone" : ""}`}>
    <div class=${`no ${text.length > 3 ? "long" : ""}`}><small>${small}</small>${text}</div>
    <div class="what"><b>${title}</b>${sub && html`<span>${sub}</span>`}${children}</div>
    ${right}
  </div>`;
}

export function Bar({ stock }) {
  const [available, , , , supplied] = stock;
  const share = supplied > 0 ? available / supplied : 0;
  const style = useMemo(() => ({ transform: `scaleX(${share.toFixed(3)})` }), [share]);
  return html`<div class=${`bar ${available <= 0 ? "out" : share <= 0.25 ? "low" : ""}`} aria-hidden="true"><i style=${style}></i></div>`;
}

/** A modal sheet on <dialog>: focus, Escape and the backdrop are the browser's. `onClose` is called once it is shut. */
export function Sheet({ title, onClose, tone = "paper", footer, aside, children }) {
  const box = useRef(null);
  useEffect(() => {
    box.current.showModal();
    (box.current.querySelector("[autofocus]") ?? box.current).focus();
  }, []);
  const outside = (event) => event.target === box.current && onClose();
  return html`<dialog ref=${box} tabindex="-1" class=${`sheet ${tone}`} aria-label=${title} onClose=${onClose} onClick=${outside}>
    <header><h2>${title}</h2>${aside}<button class="icon" type="button" aria-label=${t("common.close")} onClick=${onClose}><${Icon} name="close" />
      </button></header>
    <div class="in" tabindex="0">${children}</div>
    ${footer && html`<footer>${footer}</footer>`}
  </dialog>`;
}

// Toasts: short sentences at the bottom, the newest on top so that no button moves under a pointer; at most three.
export const toasts = signal([]);
let toastNumber = 0;
export function toast(text, { bad = false, action = null, seconds = bad ? 7 : 4 } = {}) {
  const id = ++toastNumber;
  toasts.value = [...toasts.value.slice(-2), { id, text, bad, action }];
  setTimeout(() => (toasts.value = toasts.value.filter((one) => one.id !== id)), seconds * 1000);
}
export function Toasts() {
  const drop = (one) => (toasts.value = toasts.value.filter((other) => other.id !== one.id));
  const act = (one) => {
    drop(one);
    one.action.run();
  };
  return html`<div class="toasts" role="status">${toasts.value.map(
    (one) => html`<div key=${one.id} class=${`toast ${one.bad ? "bad" : ""}`}><span class="grow">${one.text}</span>
      ${one.action && (!one.action.when || one.action.when()) && html`<button class="btn small line" type="button" onClick=${() => act(one)}>${one.action.label}</button>`}</div>`,
  )}</div>`;
}

export function LanguageSwitch() {
  const other = locale.value === "en" ? "zh-TW" : "en";
  return html`<button class="link muted nowrap" type="button" lang=${other === "en" ? "en" : "zh-Hant"}
    onClick=${() => setLocale(other)}>${other === "en" ? "English" : "中文"}</button>`;
}

/** True for a key press that belongs to a text field or carries a modifier: shortcuts leave those alone. */
export function isTyping(event) {
  const tag = event.target?.tagName;
  return event.isComposing || event.ctrlKey || event.metaKey || event.altKey || tag === "INPUT" || tag === "TEXTAREA" || tag === "SELECT" || !!document.querySelector("dialog[open]");
}

const random = () => crypto.getRandomValues(new Uint8Array(16));
/** An id for a comment or command: 32 hexadecimal digits (crypto.randomUUID needs HTTPS, shops also test without). */
export const newId = () => Array.from(random(), (byte) => byte.toString(16).padStart(2, "0")).join("");
