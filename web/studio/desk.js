// The studio's own state: what is selected, which tab a phone shows, and what the numbers on the tiles are.
import { boot } from "../shared/i18n.js";
import { totals } from "../shared/live.js";
import { ask, command, live } from "../shared/staff.js";
import { computed, now, signal } from "../shared/ui.js";

export const selected = signal(null); // code under the arrow keys
export const expanded = signal(null); // code whose editor is open
export const tab = signal("stage"); // on a phone: products, stage or chat
export const dialog = signal(null); // "add", "end" or null
export const catalogue = boot.products ?? [];
export const left = boot.left ?? {}; // sku -> pieces the shop has left, as the page was opened

export const pinnedCode = computed(() => live.pin.value?.code ?? null);
export const onAir = computed(() => live.show.value?.stage === "live");

export function move(step) {
  const codes = live.items.value.map((item) => item.code);
  if (!codes.length) return;
  const at = codes.indexOf(selected.value ?? pinnedCode.value);
  selected.value = codes[Math.min(codes.length - 1, Math.max(0, at + step))];
  if (expanded.value) expanded.value = selected.value;
}
export const pin = (code) => command("pin", { code });
export const unpin = () => command("unpin");

const TICKETS_LISTED = 500; // the server lists so many; from there on the counters are the better source
const CLAIMED = ["held", "offered", "confirmed"];
/** Claimed pieces of one product in this show: held and paid together. The counters are the shop's, of all its shows. */
export function claimedOf(item) {
  const tickets = live.part("reservations").value ?? [];
  const [, held, sold] = totals(item, live.stock.value);
  if (tickets.length >= TICKETS_LISTED) return held + sold;
  return tickets.filter((one) => one.code === item.code && CLAIMED.includes(one.state)).reduce((sum, one) => sum + one.quantity, 0);
}
/** Whether somebody in this show has or waits for one. */
export const isWanted = (item) => claimedOf(item) > 0 || (live.part("reservations").value ?? []).some((one) => one.code === item.code && one.state === "waiting");
/** Money held and paid: by each ticket's own price while all are listed, else by pieces and today's price. */
export const money = computed(() => {
  const tickets = live.part("reservations").value ?? [];
  if (tickets.length < TICKETS_LISTED) {
    const sum = (states) => tickets.filter((one) => states.includes(one.state)).reduce((all, one) => all + one.quantity * one.price_minor, 0);
    return { held: sum(["held", "offered"]), paid: sum(["confirmed"]) };
  }
  const sum = (index) => live.items.value.reduce((all, item) => all + totals(item, live.stock.value)[index] * item.price_minor, 0);
  return { held: sum(1), paid: sum(2) };
});

// Viewers over time: the server's own samples, then those taken here. 240 samples of 5 s are the last 20 minutes.
export const SAMPLE_SECONDS = 5;
export const SAMPLES_MAX = 240;
export const samples = signal([]);
let lastSample = 0;
live.link.subscribe(async (link) => {
  if (link !== "open") return;
  const answer = await ask("presence");
  if (!answer.ok || !answer.course?.length) return;
  const kept = answer.course.map(([at, viewers]) => ({ at, viewers }));
  samples.value = [...kept, ...samples.peek().filter((one) => one.at > kept.at(-1).at)].slice(-SAMPLES_MAX);
});
now.subscribe((at) => {
  if (live.viewers.peek() === undefined || at - lastSample < SAMPLE_SECONDS * 1000) return;
  lastSample = at;
  samples.value = [...samples.peek(), { at, viewers: live.viewers.peek() }].slice(-SAMPLES_MAX);
});
