// What a viewer does in a show: comments, claims, cancels. Everything shown comes back from the server.
import { boot, errorText, isGuest, nameOf, t } from "../shared/i18n.js";
import { openShow } from "../shared/live.js";
import { newId, signal } from "../shared/ui.js";
import { outcomeText } from "../shared/verdict.js";

const OUTBOX_MAX = 20; // unanswered comments kept on the page; more means the line is gone and the oldest help nobody
const RIBBON_SECONDS = 10;
const TWICE_MS = 600; // a second tap this soon is the same one

const read = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // private windows may refuse storage; the name is then asked again
  }
};
const write = (key, value) => {
  try {
    localStorage.setItem(key, value);
  } catch {
    return; // same
  }
};

export const showId = document.getElementById("app").dataset.show;
export const live = openShow({ show: showId, as: "viewer", pass: boot.pass, snapshot: boot.snapshot, name: read("lc_name") ?? "" });
export const shownPin = signal(live.pin.peek()); // on this screen; player.js lets a new one wait for its picture
let changed = -Infinity; // when another product came on the screen
let shownCode = shownPin.peek()?.code;
shownPin.subscribe((pin) => {
  if (pin?.code === shownCode) return;
  changed = performance.now();
  shownCode = pin?.code;
});
export const changedAt = () => changed;
export const sheet = signal(null); // "tickets", "products", "name", a kind's name or null
export const ribbon = signal(null); // {kind: "lines" | "need" | "unclear" | "words", …}: the last verdict
export const outbox = signal([]); // [{id, text, status, error, payload}]
export const choice = signal({}); // code -> {axis: value} chosen on the card
export const asking = signal(null); // code whose options are still to be chosen
export const claiming = signal(false);
export const draft = signal("");

let ribbonTimer = 0;
export function showRibbon(next, seconds = RIBBON_SECONDS) {
  clearTimeout(ribbonTimer);
  ribbon.value = next;
  if (next && seconds) ribbonTimer = setTimeout(() => (ribbon.value = null), seconds * 1000);
}

export function choose(code, axis, value) {
  const before = choice.value[code] ?? {};
  choice.value = { ...choice.value, [code]: { ...before, [axis]: before[axis] === value ? undefined : value } };
  if (asking.value === code) asking.value = null;
}

/** The name this viewer goes by; empty until asked for once. */
export function myName() {
  const known = live.me.value?.name;
  return isGuest(known) ? (read("lc_name") ?? "") : known;
}
export async function setName(name) {
  const answer = await live.send("name", { name });
  if (!answer.ok) return answer;
  write("lc_name", answer.name ?? name);
  live.state.value = { ...live.state.value, me: { ...live.me.value, name: answer.name ?? name } };
  sheet.value = null;
  return answer;
}

function answered(answer, quantity) {
  if (answer.need) return showRibbon({ kind: "need", need: answer.need, quantity: answer.need.quantity ?? quantity ?? 1 }, 0);
  if (answer.lines?.length) return showRibbon({ kind: "lines", lines: answer.lines });
  if ((answer.verdict === "order" || answer.verdict === "change") && answer.reason) return showRibbon({ kind: "words", title: outcomeText(answer.reason) });
  if (answer.verdict === "unclear") return showRibbon({ kind: "unclear" });
  if (answer.verdict === "held") return showRibbon({ kind: "words", title: t("watch.held_back"), text: t("watch.held_back_hint") });
  return undefined;
}

// A proof goes with orders where a show slows robots down.
const proofOf = async () => (live.settings.peek()?.proof_of_work ? (await import("./proof.js").catch(() => null))?.proofOf(live) : null);
live.settings.subscribe(proofOf);
async function order(event, payload) {
  const proof = await proofOf();
  return live.send(event, proof ? { ...payload, proof } : payload);
}

const change = (id, values) => (outbox.value = outbox.value.map((one) => (one.id === id ? { ...one, ...values } : one)));
async function deliver(entry) {
  change(entry.id, { status: "sending", error: null });
  const answer = await order("comment", entry.payload);
  if (!answer.ok) return change(entry.id, { status: "failed", error: answer.error });
  outbox.value = outbox.value.filter((one) => one.id !== entry.id);
  return answered(answer);
}

/** What is on this screen: the pin and the options chosen on its card. */
export function seen() {
  const pin = shownPin.value;
  const chosen = pin?.code ? choice.value[pin.code] : null;
  const options = Object.fromEntries(Object.entries(chosen ?? {}).filter(([, value]) => value));
  return { ...(pin?.pin && { pin: pin.pin }), ...(Object.keys(options).length && { options }) };
}
/** Sends a comment with what was on this screen when it was written. */
export function comment(text, was = seen()) {
  const id = newId();
  const payload = { id, text, ...was };
  outbox.value = [...outbox.value, { id, text, status: "sending", payload }].slice(-OUTBOX_MAX);
  return deliver({ id, payload });
}
export function retry(id) {
  const entry = outbox.value.find((one) => one.id === id);
  return deliver({ ...entry, payload: { ...entry.payload, again: true } });
}
export const forget = (id) => (outbox.value = outbox.value.filter((one) => one.id !== id));

// A comment that got no answer is sent again, under its own id, when the line is back: the server counts it once.
live.link.subscribe((link) => {
  if (link === "open") for (const one of outbox.peek()) if (one.error?.code === "no_answer") retry(one.id);
});

/** The button: one piece of `code` with `options`. The same id is used again until an answer came. */
export async function claim(code, options, quantity = 1, id = null) {
  claiming.value = true;
  const rested = new Promise((resolve) => setTimeout(resolve, TWICE_MS));
  const known = id ?? newId();
  const answer = await order("claim", { id: known, code, options, quantity, ...(id && { again: true }) });
  rested.then(() => (claiming.value = false));
  if (answer.ok) {
    answered(answer, quantity);
    if (!myName() && answer.lines?.some((line) => line.reserved || line.waiting)) sheet.value = "name";
    return;
  }
  const again = () => claim(code, options, quantity, known);
  const name = nameOf(live.item(code) ?? { code }); // another product may be on the card by now
  showRibbon({ kind: "words", bad: true, title: `${name} · ${errorText(answer.error)}`, retry: again, claim: known }, 0);
}

// The answer was late, the ticket is here: what the ribbon says is no longer so.
live.listen((events) => {
  const waits = ribbon.peek();
  if (waits?.claim && events.some((event) => event.t === "ticket" && event.comment === waits.claim)) waits.retry();
});
