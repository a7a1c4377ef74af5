// The sheet of my tickets: loaded with the first one, or when somebody looks for it.
import { money, t } from "../shared/i18n.js";
import { Countdown, Sheet, Ticket, html, useState } from "../shared/ui.js";
import { isOver, labelOf, piecesText, ticketKind, totalOf } from "../shared/verdict.js";
import { live, sheet } from "./room.js";
import { ahead, myTickets, numberOf, openTickets } from "./tickets.js";
import { cancel, take } from "./turn.js";

function Mine({ ticket }) {
  const [sure, setSure] = useState(false);
  const kind = ticketKind(ticket.state);
  const over = isOver(ticket.state);
  const small = ticket.state === "held" ? numberOf(ticket.sku) : t(`watch.state_${ticket.state}`);
  const was = ticket.was_minor ? html` <s><span class="sr">${t("watch.before")}</span>${money(ticket.was_minor, ticket.currency)}</s>` : "";
  const pieces = { ...ticket, state: "held", quantity: ticket.quantity || ticket.waiting || 1 };
  const price = html`${ticket.code} · ${totalOf([pieces], ticket.currency).text}${was}`;
  const partly = kind === "held" && ticket.waiting > 0 && html` · ${ahead(ticket.position)}`;
  const waits = html`${ahead(ticket.position)} · ${money(ticket.price_minor, ticket.currency)}${was}`;
  const sub = kind === "paid" ? html`${t("watch.paid")} · ${price}` : kind === "wait" ? waits : ticket.state === "offered" ? html`${t("watch.offered")} · ${price}` : html`${price}${partly}`;
  return html`<li>
    <${Ticket} kind=${kind} gone=${over} small=${small} number=${kind === "wait" ? ticket.position : ticket.number}
      title=${`${labelOf(ticket, live.item(ticket.code))} ${piecesText(ticket.quantity, ticket.waiting)}`} sub=${sub}
    right=${html`<div class="end">${kind === "held" && ticket.deadline_ms > 0 && html`<${Countdown} until=${ticket.deadline_ms} />`}
      ${ticket.state === "offered" && html`<button class="btn small" type="button" onClick=${() => take(ticket.id)}>${t("watch.offer_take")}</button>`}
      ${(kind === "held" || kind === "wait") && html`<button class="link" type="button" onClick=${() => (sure ? cancel(ticket.id) : setSure(true))}
        onBlur=${() => setSure(false)}>${sure ? t("watch.cancel_sure") : t("watch.cancel")}</button>`}</div>`} />
        </li>`;
}

export function TicketSheet() {
  const tickets = myTickets();
  const open = openTickets();
  const gone = tickets.filter((ticket) => isOver(ticket.state)).slice(0, 10);
  const { currency } = live.show.value;
  const held = totalOf(tickets.filter((ticket) => ticket.state === "held"), currency); // an offer is nobody's yet
  const paid = totalOf(tickets.filter((ticket) => ticket.state === "confirmed"), currency);
  const sum = (key, total) => total.pieces > 0 && html`<div class="row total"><span class="grow">${t(key, { n: total.pieces })}</span><b>${total.text}</b></div>`;
  return html`<${Sheet} title=${t("watch.my_tickets")} onClose=${() => (sheet.value = null)}
    footer=${held.pieces + paid.pieces > 0 && html`${sum("watch.total", held)}${sum("watch.total_paid", paid)}${held.pieces > 0 && html`<p class="muted">${t("watch.hold_hint")}</p>`}`}>
    ${open.length === 0 && html`<p class="empty">${t("watch.no_tickets")}</p>`}
    <ul class="ticket-list">${open.map((ticket) => html`<${Mine} key=${ticket.id} ticket=${ticket} />`)}</ul>
    ${gone.length > 0 && html`<h3 class="muted">${t("watch.over_tickets")}</h3>
      <ul class="ticket-list">${gone.map((ticket) => html`<${Mine} key=${ticket.id} ticket=${ticket} />`)}</ul>`}
    ${open.length > 0 && html`<p class="muted">${t("watch.change_example", { code: open[0].code })}</p>`}
  <//>`;
}
