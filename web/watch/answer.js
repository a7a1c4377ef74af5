// The ribbon with the last answer: loaded as soon as the line stands, before anybody can have one.
import { money, t, timeOfDay } from "../shared/i18n.js";
import { valuesOf } from "../shared/live.js";
import { Countdown, Icon, Ticket, html, signal } from "../shared/ui.js";
import { isOver, labelOf, outcomeText, piecesText, ticketKind } from "../shared/verdict.js";
import { live, ribbon, showRibbon, shownPin } from "./room.js";
import { ahead, myTickets, numberOf } from "./tickets.js";

// A price cut reaches who has claimed already, and a hold ends while nobody looks: each is said once.
const tickets = new Map(myTickets().map((ticket) => [ticket.id, ticket])); // as this page last saw them
live.listen(() => {
  const cut = [];
  for (const ticket of live.me.peek()?.tickets ?? []) {
    const before = tickets.get(ticket.id);
    tickets.set(ticket.id, ticket);
    if (before?.price_minor > ticket.price_minor && ["held", "waiting", "offered"].includes(ticket.state)) cut.push(ticket);
    if (before?.state === "held" && ticket.state === "expired") showRibbon({ kind: "words", bad: true, title: `${labelOf(ticket, live.item(ticket.code))} · ${t("outcome.expired")}` }, 0);
  }
  if (!cut.length) return;
  const [first] = cut;
  showRibbon({ kind: "words", title: t("watch.price_down", { item: labelOf(first, live.item(first.code)), price: money(first.price_minor, first.currency) }), text: t("watch.price_down_how") });
});

/** An order of this show that is surely understood: the code and an option of each kind. */
function example() {
  const item = live.item(shownPin.value?.code) ?? live.items.value[0];
  return item ? `${[item.code, ...item.options.map((option) => valuesOf(option)[0])].join(" ")} +1` : "+1";
}

function overLimit(limit, had) {
  if (had >= limit) return t("watch.over_limit", { n: limit, had });
  return had ? t("watch.over_limit_some", { n: limit, had, left: limit - had }) : t("watch.over_limit_none", { n: limit });
}

function lineText(line) {
  if (line.outcome === "partly") return t("watch.partly", { n: line.reserved, w: line.waiting, p: line.position });
  if (line.outcome === "reserved" || line.outcome === "extended") return t("watch.held_until", { time: timeOfDay(line.deadline_ms) });
  if (line.outcome === "waiting") return ahead(line.position);
  if (line.outcome === "over_limit" && line.limit) return overLimit(line.limit, line.had ?? 0);
  return outcomeText(line.outcome);
}

/** A line of the answer, and what has become of its ticket since: one deadline, one state. */
function Line({ line: told }) {
  const ticket = myTickets().find((one) => one.id && one.id === told.reservation);
  const became = ticket?.state === "held" ? (told.outcome === "waiting" ? "reserved" : told.outcome) : ticket?.state;
  const moved = became && became !== "waiting" && became !== "offered"; // those have a place of their own on the page
  const line = moved ? { ...told, outcome: became, reserved: ticket.quantity, waiting: ticket.waiting, deadline_ms: ticket.deadline_ms } : told;
  const kind = ticketKind(line.outcome);
  const title = `${labelOf(line, live.item(line.code))} ${piecesText(line.reserved, line.waiting)}`;
  const missed = line.outcome === "sold_out" ? t("watch.no_number") : isOver(line.outcome) ? outcomeText(line.outcome) : t("watch.not_taken");
  const small = kind === "wait" ? t("watch.in_line") : kind === "none" ? missed : numberOf(line.sku ?? line.item);
  return html`<${Ticket} kind=${kind} small=${small} number=${kind === "wait" ? line.position : line.number || "–"} title=${title}
    sub=${`${line.code} · ${lineText(line)}`}
    right=${kind === "held" && line.deadline_ms ? html`<${Countdown} until=${line.deadline_ms} />` : null} />`;
}

const need = signal(null); // what an order still lacks: loaded when one lacks something
async function loadNeed() {
  need.value = (await import("./need.js")).Need;
}

const unclear = () => ({ kind: "words", title: t("watch.unclear"), text: t("watch.unclear_example", { example: example() }) });

export function Ribbon() {
  const shown = ribbon.value?.kind === "unclear" ? unclear() : ribbon.value;
  if (shown?.kind === "need" && !need.value) loadNeed().catch(() => {}); // the next answer tries again
  const close = html`<button class="icon dismiss" type="button" aria-label=${t("common.close")} onClick=${() => showRibbon(null)}>
    <${Icon} name="close" /></button>`;
  return html`<div class="ribbon" role="status">
    ${shown?.kind === "lines" && html`<div class="tickets">${shown.lines.slice(0, 3).map((line, index) => html`<${Line} key=${line.reservation ?? index} line=${line} />`)}</div>${close}`}
    ${shown?.kind === "need" && need.value && html`<${need.value} key=${shown.need.code} need=${shown.need} quantity=${shown.quantity} />${close}`}
    ${shown?.kind === "words" &&
    html`<div class=${`words ${shown.bad ? "bad" : ""}`} role=${shown.bad ? "alert" : null}><div class="grow">
      <b>${shown.title}</b>${shown.text && html`<span>${shown.text}</span>`}</div>
      ${shown.retry && html`<button class="btn small" type="button" onClick=${shown.retry}>${t("common.retry")}</button>`}</div>${close}`}
  </div>`;
}
