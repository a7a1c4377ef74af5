// The ribbon with the last verdict, which tickets are mine, and the sheet that asks for a name once.
import { count, errorText, nameOf, t, timeOfDay } from "../shared/i18n.js";
import { isComplete } from "../shared/live.js";
import { Countdown, Icon, Sheet, Ticket, html, useState } from "../shared/ui.js";
import { isOver, labelOf, outcomeText, piecesText, ticketKind } from "../shared/verdict.js";
import { Options } from "./card.js";
import { claim, live, myName, ribbon, setName, sheet, showRibbon } from "./room.js";

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

function Need({ need, quantity }) {
  const item = live.item(need.code);
  const [chosen, setChosen] = useState({});
  if (!item) return null;
  const given = need.options ?? {};
  const pick = (axis, value) => {
    const next = { ...given, ...chosen, [axis]: value };
    setChosen(next);
    if (!isComplete(item, next)) return;
    showRibbon(null);
    claim(need.code, next, quantity);
  };
  return html`<div class="words"><div class="grow"><b>${t("watch.need", { item: nameOf(item), n: quantity })}</b>
    <${Options} item=${item} axes=${need.axes} chosen=${{ ...given, ...chosen }} ask=${true} onChoose=${pick} /></div></div>`;
}

export function Ribbon() {
  const shown = ribbon.value;
  const close = html`<button class="icon dismiss" type="button" aria-label=${t("common.close")} onClick=${() => showRibbon(null)}>
    <${Icon} name="close" /></button>`;
  return html`<div class="ribbon" role="status">
    ${shown?.kind === "lines" && html`<div class="tickets">${shown.lines.slice(0, 3).map((line, index) => html`<${Line} key=${line.reservation ?? index} line=${line} />`)}</div>${close}`}
    ${shown?.kind === "need" && html`<${Need} key=${shown.need.code} need=${shown.need} quantity=${shown.quantity} />${close}`}
    ${shown?.kind === "words" &&
    html`<div class=${`words ${shown.bad ? "bad" : ""}`} role=${shown.bad ? "alert" : null}><div class="grow">
      <b>${shown.title}</b>${shown.text && html`<span>${shown.text}</span>`}</div>
      ${shown.retry && html`<button class="btn small" type="button" onClick=${shown.retry}>${t("common.retry")}</button>`}</div>${close}`}
  </div>`;
}

export const myTickets = () => live.me.value?.tickets ?? [];
export const openTickets = () => myTickets().filter((ticket) => !isOver(ticket.state));

export function NameSheet({ onNamed }) {
  const [name, setLocal] = useState(myName());
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const wanted = name.trim();
    if (!wanted) return setError({ code: "name_empty" });
    const answer = await setName(wanted);
    if (!answer.ok) return setError(answer.error);
    return onNamed?.();
  };
  return html`<${Sheet} title=${t("watch.name_title")} onClose=${() => (sheet.value = null)}>
    <form class="name" onSubmit=${submit}>
      <label class="field"><span>${t("watch.name_label")}</span>
        <input class="input" value=${name} maxlength="20" autocomplete="nickname" autofocus enterkeyhint="done"
          onInput=${(event) => setLocal(event.currentTarget.value)} />
        </label>
      ${error && html`<p class="error" role="alert">${errorText(error)}</p>`}
      <button class="btn" type="submit">${t("watch.name_done")}</button>
    </form>
  <//>`;
}
