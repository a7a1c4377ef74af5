// The control panel's own state: which line, which triage card, which buyer; and what its keys do.
import { person, t } from "../shared/i18n.js";
import { lineKey } from "../shared/kinds.js";
import { command, live } from "../shared/staff.js";
import { computed, now, signal } from "../shared/ui.js";

export const MUTE_SECONDS = 600;
const LINES_MAX = 400; // lines a moderator can go back to; the reducer may keep fewer

export const filter = signal("all"); // all, orders, questions, held, hidden
export const cursor = signal(null); // key of the marked line; null follows the newest
export const buyer = signal(null); // viewer id on the card
export const side = signal("buyer"); // buyer, reservations, audit or a kind's name
export const tab = signal("chat"); // on a phone: chat, triage or side
export const dialog = signal(null); // rules, help, answer, a kind whose sheet is open, or null
export const answering = signal(null); // the line that the answer dialog is about
export const active = signal(null); // comment id of the open triage card

// The snapshot holds the last 60 lines; this page keeps what it has seen since, for the moderator to go back to.
const seen = signal([]);
live.lines.subscribe((chat) => {
  if (!chat.length) return;
  const fresh = new Set(chat.map(lineKey));
  seen.value = [...seen.peek().filter((line) => !fresh.has(lineKey(line))), ...chat].sort((a, b) => a.at - b.at).slice(-LINES_MAX);
});
const hiddenIds = computed(() => new Set(live.state.value?.hidden ?? []));
export const isHidden = (line) => line.hidden === true || hiddenIds.value.has(line.id);

const KEEP = {
  all: () => true,
  orders: (line) => line.kind === "claim" || line.verdict === "order" || line.verdict === "change",
  questions: (line) => line.verdict === "question",
  held: (line) => line.held === true,
  hidden: isHidden,
};
export const counts = computed(() => Object.fromEntries(["questions", "held", "hidden"].map((name) => [name, seen.value.filter(KEEP[name]).length])));
export const lines = computed(() => seen.value.filter(KEEP[filter.value]));

export function moveLine(step) {
  const list = lines.value;
  if (!list.length) return;
  const at = list.findIndex((line) => lineKey(line) === cursor.value);
  const next = at < 0 ? list.length - 1 : Math.min(list.length - 1, Math.max(0, at + step));
  mark(list[next]);
}
export function mark(line) {
  cursor.value = line ? lineKey(line) : null;
  if (line?.viewer) buyer.value = line.viewer;
}
export const marked = () => lines.value.find((line) => lineKey(line) === cursor.value);

export function toggleHide(line) {
  if (!line || line.kind === "claim") return; // it has no words that anybody could hide
  if (line.held) command("unhide", { comment: line.id }, t("control.released"));
  else if (isHidden(line)) command("unhide", { comment: line.id }, t("control.shown_again"));
  else command("hide", { comment: line.id }, t("control.hidden_done"));
}
export const buyerRecord = (viewer) => live.part("buyers").value?.find((one) => one.viewer === viewer) ?? { viewer, muted_until: 0, banned: false, restricted: false, hold_max: 0 };
export function mute(viewer, name) {
  if (viewer) command("mute", { viewer, seconds: MUTE_SECONDS }, t("control.muted_done", { name: person(name), n: MUTE_SECONDS / 60 }));
}
const NETWORK_SECONDS = 3600;
/** Also newcomers of this viewer's network, for an hour: they may watch, but neither write nor order. */
export function banNetwork(viewer, name) {
  if (viewer) command("ban", { viewer, network_seconds: NETWORK_SECONDS }, t("control.banned_done", { name: person(name) }));
}
export function ban(viewer, name) {
  if (viewer) command("ban", { viewer }, t("control.banned_done", { name: person(name) }));
}
export const ticketsOf = (viewer) => (live.part("reservations").value ?? []).filter((ticket) => ticket.viewer === viewer).sort((a, b) => b.at_ms - a.at_ms);
export const nameOfViewer = (viewer) => seen.value.findLast((line) => line.viewer === viewer)?.name ?? ticketsOf(viewer)[0]?.name ?? "";
export const lineText = (comment) => seen.value.find((line) => line.id === comment)?.text;
export const linesOf = (viewer) => seen.value.filter((line) => line.viewer === viewer).slice(-6);

// What can be accepted with one key comes first, questions last; the oldest of each leads.
const rank = (entry) => (entry.verdict === "question" ? 2 : entry.guess?.length ? 0 : 1);
export const OLD_MINUTES = 10; // a buyer has gone on by then; what is older folds away behind its number
export const showOld = signal(false);
const codesOf = (entry) => [...new Set((entry.guess ?? []).map((one) => one.code).filter(Boolean))];
/** Nobody needs to decide it any more: its products are closed, or its author has ordered them since. */
function isSettled(entry) {
  const codes = codesOf(entry);
  if (!codes.length || entry.verdict === "question") return false;
  if (codes.every((code) => live.item(code)?.closed)) return true;
  const later = (ticket) => ticket.viewer === entry.viewer && ticket.at_ms > entry.at && codes.includes(ticket.code) && ticket.comment !== entry.comment;
  return (live.part("reservations").value ?? []).some(later);
}
const open = computed(() => (live.part("triage").value ?? []).filter((entry) => !isSettled(entry)));
const minute = computed(() => Math.floor(now.value / 60_000)); // ages move once a minute, not with each second's redraw
export const isOver = computed(() => live.show.value?.stage === "ended");
const isOld = (entry) => !isOver.value && entry.at < (minute.value - OLD_MINUTES) * 60_000;
export const old = computed(() => open.value.filter(isOld));
export const queue = computed(() => open.value.filter((entry) => showOld.value || !isOld(entry)).sort((a, b) => rank(a) - rank(b) || a.at - b.at));
export const current = computed(() => queue.value.find((one) => one.comment === active.value) ?? queue.value[0] ?? null);
