// The right column: one buyer's card, all reservations with search, and the audit trail with undo.
import { knows, money, person, t, timeOfDay } from "../shared/i18n.js";
import { kindPage } from "../shared/kind_page.js";
import { lineKey, partsOf } from "../shared/kinds.js";
import { ask, command, live, mayHost, undo } from "../shared/staff.js";
import { Countdown, Icon, Ticket, html, serverNow, signal, useEffect, useState } from "../shared/ui.js";
import { nameOfSku } from "../shared/skus.js";
import { claimMark, isOver, labelOf, piecesText, ticketKind, totalOf } from "../shared/verdict.js";
import { ban, banNetwork, buyer, buyerRecord, lineText, linesOf, mute, nameOfViewer, side, tab, ticketsOf } from "./desk.js";

const ROWS_MAX = 100;
const EXTEND_SECONDS = 900;

function Reservation({ ticket, named }) {
  const [sure, setSure] = useState(false); // a ticket that was cancelled has gone to the next in line: there is no way back
  const kind = ticketKind(ticket.state);
  const over = isOver(ticket.state);
  const title = `${labelOf(ticket, live.item(ticket.code))} ${piecesText(ticket.quantity, ticket.waiting)}`;
  const who = named ? html`<button class="link" type="button"
    onClick=${() => ((buyer.value = ticket.viewer), (side.value = "buyer"))}>${person(ticket.name)}</button> · ` : "";
  const cancel = () => !sure ? setSure(true) : command("cancel", { reservation: ticket.id }, t("control.cancelled_done", { name: person(ticket.name) }));
  const extend = () => command("extend", { reservation: ticket.id, seconds: EXTEND_SECONDS }, t("control.extended", { n: EXTEND_SECONDS / 60 }));
  const isOpen = kind === "held" || kind === "wait";
  return html`<li>
    <${Ticket} kind=${kind} gone=${over} small=${t(`control.ticket_${ticket.state}`)} number=${kind === "wait" ? ticket.position : ticket.number} title=${title}
      sub=${html`${who}${ticket.code} · ${money(ticket.quantity * ticket.price_minor, ticket.currency)}`}
      right=${html`<div class="end">${kind === "held" && ticket.deadline_ms > 0 && html`<${Countdown} until=${ticket.deadline_ms} />`}
        ${isOpen && html`<span class="row">${kind === "held" && html`<button class="link" type="button"
          aria-label=${t("control.extend_long", { n: EXTEND_SECONDS / 60 })}
          onClick=${extend}>${t("control.extend")}</button>`}<button class="link" type="button" onClick=${cancel} onBlur=${() => setSure(false)}>${t(sure ? "control.cancel_sure" : "control.cancel")}</button>
          </span>`}</div>`} /></li>`;
}

function Restrict({ record }) {
  const [pieces, setPieces] = useState("1");
  const { viewer } = record;
  if (record.restricted) return html`<button class="btn small line" type="button"
    onClick=${() => command("unrestrict", { viewer }, t("control.unrestricted"))}>${t("control.unrestrict", { n: record.hold_max })}</button>`;
  const submit = (event) => {
    event.preventDefault();
    command("restrict", { viewer, hold_max: Math.max(0, Math.trunc(Number(pieces)) || 0) }, t("control.restricted"));
  };
  return html`<form class="row" onSubmit=${submit}><button class="btn small line" type="submit">${t("control.restrict")}</button>
    <input class="input small quantity" type="number" inputmode="numeric" min="0" max="10000" value=${pieces}
      aria-label=${t("control.restrict_pieces")} onInput=${(event) => setPieces(event.currentTarget.value)} />
    <span class="muted">${t("control.pieces")}</span></form>`;
}

function Mark({ line }) {
  const mark = claimMark(live.claims.value.get(lineKey(line)), line);
  return mark && html`<span class=${`tag ${mark.kind === "none" ? "" : mark.kind}`}>${mark.text}</span>`;
}

export function BuyerCard() {
  const viewer = buyer.value;
  const [older, setOlder] = useState([]);
  const [neighbours, setNeighbours] = useState(0);
  useEffect(() => {
    setOlder([]);
    setNeighbours(0);
    if (!viewer) return;
    ask("buyer", { viewer }).then((answer) => {
      if (!answer.ok || buyer.peek() !== viewer) return;
      setOlder(answer.tickets ?? []);
      setNeighbours(answer.neighbours ?? 0);
    });
  }, [viewer]);
  if (!viewer) return html`<p class="empty">${t("control.no_buyer")}</p>`;
  const record = buyerRecord(viewer);
  const name = person(nameOfViewer(viewer));
  const listed = ticketsOf(viewer);
  const known = new Set(listed.map((ticket) => ticket.id));
  const tickets = [...listed, ...older.filter((ticket) => !known.has(ticket.id))];
  const total = totalOf(tickets, live.show.value.currency);
  const isMuted = record.muted_until > serverNow();
  return html`<div class="buyer">
    <div class="row"><h3><bdi>${name}</bdi></h3><span class="grow">
      </span>${record.banned && html`<span class="tag bad">${t("control.tag_banned")}</span>`}${isMuted && html`<span class="tag warn">${t("control.tag_muted", { time: timeOfDay(record.muted_until) })}</span>`}${record.restricted && html`<span class="tag warn">${t("control.tag_restricted", { n: record.hold_max })}</span>`}</div>
    <p class="muted">${t("control.buyer_sum", { n: total.pieces })} · ${total.text}</p>
    <div class="row wrap">
      ${isMuted ? html`<button class="btn small line" type="button"
        onClick=${() => command("unmute", { viewer }, t("control.unmuted"))}>${t("control.unmute")}</button>` : html`<button class="btn small line" type="button"
        onClick=${() => mute(viewer, name)}>${t("control.mute_long", { n: 10 })}</button>`}
      ${record.banned ? html`<button class="btn small line" type="button"
        onClick=${() => command("unban", { viewer }, t("control.unbanned"))}>${t("control.unban")}</button>` : html`<button class="btn small line" type="button"
        onClick=${() => ban(viewer, name)}>${t("control.ban_long")}</button>
        <button class="btn small line" type="button"
        onClick=${() => banNetwork(viewer, name)}>${t("control.ban_network", { n: neighbours })}</button>`}
      <${Restrict} key=${viewer} record=${record} />
    </div>
    <ul class="ticket-list">${tickets.map((ticket) => html`<${Reservation} key=${ticket.id} ticket=${ticket} />`)}</ul>
    ${tickets.length === 0 && html`<p class="muted">${t("control.no_tickets")}</p>`}
    <h4 class="muted">${t("control.last_comments")}</h4>
    <ul class="said">${linesOf(viewer).map((line) => html`<li key=${line.id}>
      <time class="muted">${timeOfDay(line.at)}</time> <bdi>${line.text}</bdi> <${Mark} line=${line} /></li>`)}</ul>
  </div>`;
}

const STATES = ["all", "held", "waiting", "confirmed", "over"];
const FITS = { all: () => true, held: (one) => one.state === "held" || one.state === "offered", waiting: (one) => one.state === "waiting", confirmed: (one) => one.state === "confirmed", over: (one) => isOver(one.state) };
const query = signal("");
const wantedState = signal("all");

export function Reservations() {
  const [found, setFound] = useState([]);
  const text = query.value.trim().toLowerCase();
  useEffect(() => {
    if (!text) return setFound([]);
    // The page holds the latest 500; the server is asked for older ones once typing pauses.
    const timer = setTimeout(() => ask("reservations", { query: text }).then((answer) => answer.ok && setFound(answer.reservations ?? [])), 300);
    return () => clearTimeout(timer);
  }, [text]);
  const local = live.part("reservations").value ?? [];
  const known = new Set(local.map((ticket) => ticket.id));
  const all = [...local, ...found.filter((ticket) => !known.has(ticket.id))].sort((a, b) => b.at_ms - a.at_ms);
  const hit = (ticket) => !text || `${ticket.name ?? ""} ${ticket.label} ${ticket.code} ${ticket.number}`.toLowerCase().includes(text);
  const rows = all.filter((ticket) => FITS[wantedState.value](ticket) && hit(ticket));
  const total = totalOf(rows, live.show.value.currency);
  return html`<div class="reservations">
    <div class="search"><${Icon} name="search" />
      <input class="input small" type="search" value=${query.value} placeholder=${t("control.search")} aria-label=${t("control.search")}
        onInput=${(event) => (query.value = event.currentTarget.value)} />
      </div>
    <div class="row wrap filters" role="group"
      aria-label=${t("control.filter")}>${STATES.map((name) => html`<button key=${name} class="pick" type="button" aria-pressed=${wantedState.value === name}
      onClick=${() => (wantedState.value = name)}>${t(`control.state_${name}`)}</button>`)}</div>
    <p class="muted">${t("control.found", { n: rows.length })} · ${total.text}</p>
    <ul class="ticket-list">${rows.slice(0, ROWS_MAX).map((ticket) => html`<${Reservation} key=${ticket.id} ticket=${ticket} named=${true} />`)}</ul>
    ${rows.length > ROWS_MAX && html`<p class="muted">${t("control.more_search", { n: rows.length - ROWS_MAX })}</p>`}
  </div>`;
}

/** "hid 加我好友": what an entry of the trail was, in words. */
export const deedOf = (entry) => `${knows(`control.do_${entry.do}`) ? t(`control.do_${entry.do}`) : entry.do} ${about(entry)}`.trim();

/** "A01 紅色 M 第 2 號": a reservation's id is its sku and its number. */
function ticketName(reservation) {
  const at = reservation.lastIndexOf("#");
  return t("common.mark_number_of", { of: nameOfSku(reservation.slice(0, at)), no: reservation.slice(at + 1) });
}

function about(entry) {
  const what = entry.about ?? {};
  const parts = [what.code, what.sku && nameOfSku(what.sku), what.reservation && ticketName(what.reservation), what.available !== undefined && `= ${what.available}`, what.text, what.quantity !== undefined && `× ${what.quantity}`, what.price_minor !== undefined && money(what.price_minor, live.show.value.currency), what.viewer && person(nameOfViewer(what.viewer))];
  if (what.comment) parts.push(lineText(what.comment));
  if (what.slow_seconds !== undefined && what.slow_seconds !== null) parts.push(t("control.slow_n", { n: what.slow_seconds }));
  return parts.filter(Boolean).join(" ");
}
export function Audit() {
  const entries = [...(live.part("audit").value ?? [])].reverse();
  return html`<ul class="audit">${entries.map(
    (entry) => html`<li key=${entry.id} class=${entry.undone ? "gone" : ""}><time class="muted">${timeOfDay(entry.at, true)}</time><span class="grow">
      <b><bdi>${entry.actor_name ?? entry.actor}</bdi></b> ${knows(`control.do_${entry.do}`) ? t(`control.do_${entry.do}`) : entry.do} <span class="muted">${about(entry)}</span>
      </span>
      ${entry.undoable && (mayHost() || !entry.host_only) && html`<button class="link" type="button"
        onClick=${() => undo(entry.id)}>${t("common.undo")}</button>`}${entry.undone && html`<span class="tag">${t("control.undone_tag")}</span>`}</li>`,
  )}${entries.length === 0 && html`<li class="empty">${t("control.audit_empty")}</li>`}</ul>`;
}

const parts = partsOf("control", { ...kindPage, live, command });
const SIDES = { buyer: BuyerCard, reservations: Reservations, audit: Audit, ...Object.fromEntries(parts.map((part) => [part.name, part.View])) };
function titleOf(name) {
  const part = parts.find((one) => one.name === name);
  if (!part) return t(`control.side_${name}`);
  return part.badge ? html`${part.title} <b class="count">${part.badge}</b>` : part.title;
}
export function Side() {
  const Part = SIDES[side.value];
  return html`<aside class="side"><div class="row tabs" role="tablist">${Object.keys(SIDES).map(
    (name) => html`<button key=${name} type="button" role="tab" id=${`side-${name}`} aria-controls="side-panel" aria-selected=${side.value === name}
      onClick=${() => ((side.value = name), (tab.value = "side"))}>${titleOf(name)}</button>`,
  )}</div><div id="side-panel" class="panel" role="tabpanel" aria-labelledby=${`side-${side.value}`}><${Part} /></div></aside>`;
}
