// The sheet of my tickets: loaded with the first one, or when somebody looks for it.
import { errorText, money, t } from "../shared/i18n.js";
import { Countdown, Sheet, Ticket, html, newId, toast, useState } from "../shared/ui.js";
import { isOver, labelOf, piecesText, ticketKind, totalOf } from "../shared/verdict.js";
import { live, sheet } from "./room.js";
import { ahead, myTickets, numberOf, openTickets } from "./tickets.js";

export async function cancel(reservation) {
  const answer = await live.send("cancel", { id: newId(), reservation });
  if (answer.ok) toast(t("watch.cancelled"));
  else toast(errorText(answer.error), { bad: true });
}

function Mine({ ticket }) {
  const [sure, setSure] = useState(false);
  const kind = ticketKind(ticket.state);
  const over = isOver(ticket.state);
  const small = ticket.state === "held" ? numberOf(ticket.sku) : t(`watch.state_${ticket.state}`);
  const was = ticket.was_minor ? html` <s><span class="sr">${t("watch.before")}</span>${money(ticket.was_minor, ticket.currency)}</s>` : "";
  const price = html`${ticket.code} · ${totalOf([{ ...ticket, state: "held" }], ticket.currency).text}${was}`;
  const partly = kind === "held" && ticket.waiting > 0 && html` · ${ahead(ticket.position)}`;
  const waits = html`${ahead(ticket.position)} · ${money(ticket.price_minor, ticket.currency)}${was}`;
  const sub = kind === "wait" ? waits : ticket.state === "offered" ? html`${t("watch.offered")} · ${price}` : html`${price}${partly}`;
  return html`<li>
    <${Ticket} kind=${kind} gone=${over} small=${small} number=${kind === "wait" ? ticket.position : ticket.number}
      title=${`${labelOf(ticket, live.item(ticket.code))} ${piecesText(ticket.quantity, ticket.waiting)}`} sub=${sub}
    right=${html`<div class="end">${kind === "held" && ticket.deadline_ms > 0 && html`<${Countdown} until=${ticket.deadline_ms} />`}
      ${(kind === "held" || kind === "wait") && html`<button class="link" type="button" onClick=${() => (sure ? cancel(ticket.id) : setSure(true))}
        onBlur=${() => setSure(false)}>${sure ? t("watch.cancel_sure") : t("watch.cancel")}</button>`}</div>`} />
        </li>`;
}

export function TicketSheet() {
  const tickets = myTickets();
  const open = openTickets();
  const gone = tickets.filter((ticket) => isOver(ticket.state)).slice(0, 10);
  const total = totalOf(tickets, live.show.value.currency);
  return html`<${Sheet} title=${t("watch.my_tickets")} onClose=${() => (sheet.value = null)}
    footer=${open.length > 0 && html`<div class="row total"><span class="grow">${t("watch.total", { n: total.pieces })}</span><b>${total.text}</b>
      </div><p class="muted">${t("watch.hold_hint")}</p>`}>
    ${open.length === 0 && html`<p class="empty">${t("watch.no_tickets")}</p>`}
    <ul class="ticket-list">${open.map((ticket) => html`<${Mine} key=${ticket.id} ticket=${ticket} />`)}</ul>
    ${gone.length > 0 && html`<h3 class="muted">${t("watch.over_tickets")}</h3>
      <ul class="ticket-list">${gone.map((ticket) => html`<${Mine} key=${ticket.id} ticket=${ticket} />`)}</ul>`}
    ${open.length > 0 && html`<p class="muted">${t("watch.change_example", { code: open[0].code })}</p>`}
  <//>`;
}
