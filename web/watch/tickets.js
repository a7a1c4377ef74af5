// The ribbon with the last verdict, and which tickets are mine.
import { count, t, timeOfDay } from "../shared/i18n.js";
import { Countdown, Icon, Ticket, html, signal } from "../shared/ui.js";
import { isOver, labelOf, outcomeText, piecesText, ticketKind } from "../shared/verdict.js";
import { live, ribbon, showRibbon } from "./room.js";

/** A number is of one option: of a product that has options it says so. */
export const numberOf = (sku) => t((sku ?? "").includes("/") ? "watch.your_number_of" : "watch.your_number");
export const ahead = (position) => (position > 1 ? t("watch.ahead", { n: count(position - 1) }) : t("watch.first"));

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

function Line({ line }) {
  const kind = ticketKind(line.outcome);
  const title = `${labelOf(line, live.item(line.code))} ${piecesText(line.reserved, line.waiting)}`;
  const missed = line.outcome === "sold_out" ? t("watch.no_number") : line.outcome === "cancelled" ? outcomeText("cancelled") : t("watch.not_taken");
  const small = kind === "wait" ? t("watch.in_line") : kind === "held" ? numberOf(line.sku ?? line.item) : missed;
  return html`<${Ticket} kind=${kind} small=${small} number=${kind === "wait" ? line.position : line.number || "–"} title=${title}
    sub=${`${line.code} · ${lineText(line)}`}
    right=${kind === "held" && line.deadline_ms ? html`<${Countdown} until=${line.deadline_ms} />` : null} />`;
}

const need = signal(null);
async function loadNeed() {
  need.value = (await import("./need.js")).Need;
}

export function Ribbon() {
  const shown = ribbon.value;
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

export const myTickets = () => live.me.value?.tickets ?? [];
export const openTickets = () => myTickets().filter((ticket) => !isOver(ticket.state));
