// What stands in the picture's place before and after a show: loaded when there is none.
import { money, nameOf, t, timeOfDay } from "../shared/i18n.js";
import { replayOf } from "../shared/ending.js";
import { Picture } from "../shared/picture.js";
import { html } from "../shared/ui.js";
import { totalOf } from "../shared/verdict.js";
import { phase } from "./player.js";
import { live, sheet, showId } from "./room.js";
import { myTickets, openTickets } from "./tickets.js";

const replayUrl = replayOf(live, showId);

/** What is coming: the products as a shelf of pictures, before the show begins. */
function Shelf() {
  return html`<ul class="shelf">${live.items.value.map(
    (item) => html`<li key=${item.code}><button type="button" onClick=${() => (sheet.value = "products")}>
      <${Picture} src=${item.picture} code=${item.code} size=${124} /><span class="row"><span class="code">${item.code}</span>
      <b class="cut">${nameOf(item)}</b></span><span>${money(item.price_minor, item.currency)}</span></button></li>`,
  )}</ul>`;
}

/** After the end: what is held and until when, or thanks. */
function whatIsNext() {
  const held = openTickets().filter((ticket) => ticket.state === "held" || ticket.state === "offered");
  const soonest = held.reduce((least, ticket) => (ticket.deadline_ms ? Math.min(least, ticket.deadline_ms) : least), Infinity);
  return Number.isFinite(soonest) ? t("watch.ended_held", { n: totalOf(held, live.show.value.currency).pieces, time: timeOfDay(soonest) }) : t(myTickets().length ? "watch.ended_hint" : "watch.ended_thanks");
}

export function Curtain() {
  const now = phase.value;
  return html`<div class="center big"><p class="show-title">${live.show.value.title}</p><h2>${t(`watch.${now}`)}</h2>
    <p>${now === "ended" ? whatIsNext() : t(`watch.${now}_hint`)}</p>
    ${now === "waiting" && html`<${Shelf} />`}
    ${now === "ended" && replayUrl.value && html`<a class="btn" href=${replayUrl.value}>${t("watch.replay")}</a>`}
    ${now === "ended" && openTickets().length > 0 && html`<button class="btn line" type="button"
      onClick=${() => (sheet.value = "tickets")}>${t("watch.my_tickets")}</button>`}</div>`;
}
