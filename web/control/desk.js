// The control panel's own state: which line, which triage card, which buyer; and what its keys do.
import { person, t } from "../shared/i18n.js";
import { command, live } from "../shared/staff.js";
import { computed, signal } from "../shared/ui.js";

export const MUTE_SECONDS = 600;
const LINES_MAX = 400; // lines a moderator can go back to; the reducer may keep fewer

export const filter = signal("all"); // all, orders, questions, held, hidden
export const cursor = signal(null); // id of the marked line; null follows the newest
export const buyer = signal(null); // viewer id on the card
export const side = signal("buyer"); // buyer, reservations, audit or a kind's name
export const tab = signal("chat"); // on a phone: chat, triage or side
export const dialog = signal(null); // rules, help, a kind whose sheet is open, or null
export const active = signal(null); // comment id of the open triage card

// The snapshot holds the last 60 lines; this page keeps what it has seen since, for the moderator to go back to.
const seen = signal([]);
live.chat.subscribe((chat) => {
  if (!chat) return;
  const fresh = new Set(chat.map((line) => line.id));
  seen.value = [...seen.peek().filter((line) => !fresh.has(line.id)), ...chat].slice(-LINES_MAX);
});
const hiddenIds = computed(() => new Set(live.state.value?.hidden ?? []));
export const isHidden = (line) => line.hidden === true || hiddenIds.value.has(line.id);

const KEEP = {
  all: () => true,
  orders: (line) => line.verdict === "order" || line.verdict === "change",
  questions: (line) => line.verdict === "question",
  held: (line) => line.held === true,
  hidden: isHidden,
};
export const counts = computed(() => Object.fromEntries(["questions", "held", "hidden"].map((name) => [name, seen.value.filter(KEEP[name]).length])));
export const lines = computed(() => seen.value.filter(KEEP[filter.value]));

export function moveLine(step) {
  const list = lines.value;
  if (!list.length) return;
  const at = list.findIndex((line) => line.id === cursor.value);
  const next = at < 0 ? list.length - 1 : Math.min(list.length - 1, Math.max(0, at + step));
  mark(list[next]);
}
export function mark(line) {
  cursor.value = line?.id ?? null;
  if (line?.viewer) buyer.value = line.viewer;
}
export const marked = () => lines.value.find((line) => line.id === cursor.value);

export function toggleHide(line) {
  if (!line) return;
  if (line.held) command("unhide", { comment: line.id }, t("control.released"));
  else if (isHidden(line)) command("unhide", { comment: line.id }, t("control.shown_again"));
  else command("hide", { comment: line.id }, t("control.hidden_done"));
}
export const buyerRecord = (viewer) => live.part("buyers").value?.find((one) => one.viewer === viewer) ?? { viewer, muted_until: 0, banned: false, restricted: false, hold_max: 0 };
export function mute(viewer, name) {
  if (viewer) command("mute", { viewer, seconds: MUTE_SECONDS }, t("control.muted_done", { name: person(name), n: MUTE_SECONDS / 60 }));
}
export function ban(viewer, name) {
  if (viewer) command("ban", { viewer }, t("control.banned_done", { name: person(name) }));
}
export const ticketsOf = (viewer) => (live.part("reservations").value ?? []).filter((ticket) => ticket.viewer === viewer).sort((a, b) => b.at_ms - a.at_ms);
export const nameOfViewer = (viewer) => seen.value.findLast((line) => line.viewer === viewer)?.name ?? ticketsOf(viewer)[0]?.name ?? "";
export const linesOf = (viewer) => seen.value.filter((line) => line.viewer === viewer).slice(-6);

// What can be accepted with one key comes first, questions last; the oldest of each leads.
const rank = (entry) => (entry.verdict === "question" ? 2 : entry.guess?.length ? 0 : 1);
export const queue = computed(() => [...(live.part("triage").value ?? [])].sort((a, b) => rank(a) - rank(b) || a.at - b.at));
export const current = computed(() => queue.value.find((one) => one.comment === active.value) ?? queue.value[0] ?? null);
