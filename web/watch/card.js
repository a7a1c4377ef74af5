// The pinned product's card, its button, and the shelf of what is coming.
import { count, money, nameOf, t } from "../shared/i18n.js";
import { fitting, isComplete, totals, valuesOf } from "../shared/live.js";
import { Picture } from "../shared/picture.js";
import { Bar, html, toast, useEffect, useRef } from "../shared/ui.js";
import { asking, changedAt, choice, choose, claim, claiming, live, ribbon, shownPin } from "./room.js";

const ACTIVE = ["held", "waiting", "offered"];
const FRESH_MS = 400; // quicker than this nobody has read what came

/** Counters for what is chosen: of one sku when all options are, else of those that still fit. */
export function stockFor(item, chosen) {
  return totals({ skus: fitting(item, chosen) }, live.stock.value);
}

export function StockLine({ item, chosen }) {
  const stock = stockFor(item, chosen);
  const [available, , , waiting] = stock;
  const words = item.closed ? t("watch.closed") : available > 0 ? t("watch.left", { n: count(available) }) : waiting ? t("watch.out_waiting", { n: waiting }) : t("watch.out");
  return html`<div class=${`stock row ${available <= 0 ? "out" : available <= 10 ? "low" : ""}`} role="status"><div class="grow">
    <${Bar} stock=${stock} /></div><span>${words}</span></div>`;
}

export function Price({ item }) {
  return html`<div class="price">${money(item.price_minor, item.currency)}${
    item.compare_at_minor > item.price_minor && html`<s>
      <span class="sr">${t("watch.before")}</span>${money(item.compare_at_minor, item.currency)}</s>`
  }</div>`;
}

/** Chips for the axes of an item (only those of `axes`, where given). */
export function Options({ item, chosen, onChoose, ask, axes = null }) {
  const first = useRef(null);
  useEffect(() => {
    if (ask) first.current?.focus();
  }, [ask]);
  const shown = item.options.filter((option) => !axes || axes.includes(option.axis));
  const missing = shown.find((option) => !chosen?.[option.axis]);
  const words = shown.filter((option) => !chosen?.[option.axis]).map((option) => option.axis);
  return html`${ask && missing && html`<p class="ask-hint" role="status">${t("watch.choose_first", { axes: words.join(t("common.list_sign")) })}</p>`}${shown.map(
    (option) => html`<div key=${option.axis} class=${`options ${ask && !chosen?.[option.axis] ? "ask" : ""}`} role="group" aria-label=${option.axis}>
      ${valuesOf(option).map((value, index) => {
        const out = stockFor(item, { ...chosen, [option.axis]: value })[0] <= 0;
        return html`<button key=${value} type="button" ref=${option === missing && index === 0 ? first : null} class=${out ? "out" : ""} aria-pressed=${chosen?.[option.axis] === value}
          aria-label=${out ? `${value} ${t("watch.out")}` : value} onClick=${() => onChoose(option.axis, value)}>${value}</button>`;
      })}
    </div>`,
  )}`;
}

export const pinned = () => shownPin.value?.code && live.item(shownPin.value.code);

/** Whether the ribbon asks for options of this product: the card then does not ask for them too. */
const isAsked = (code) => ribbon.value?.kind === "need" && ribbon.value.need.code === code;

export function PinnedCard() {
  const item = pinned();
  if (!item || isAsked(item.code)) return null;
  const chosen = choice.value[item.code];
  return html`<article class="card" aria-label=${t("watch.pinned")} key=${item.code}>
    <${Picture} src=${item.picture} code=${item.code} size=${92} />
    <div class="grow">
      <div class="row"><span class="code">${item.code}</span><h2 class="cut">${nameOf(item)}</h2></div>
      <${Price} item=${item} />
      <${StockLine} item=${item} chosen=${chosen} />
    </div>
    ${item.options.length > 0 && !item.closed && html`<div class="all-options">
      <${Options} item=${item} chosen=${chosen} ask=${asking.value === item.code} onChoose=${(axis, value) => choose(item.code, axis, value)} />
      </div>`}
  </article>`;
}

/** The viewer's open tickets of what is chosen: [{sku, state, …}]. */
const mineOf = (item, chosen) => (live.me.value?.tickets ?? []).filter((one) => one.code === item.code && ACTIVE.includes(one.state) && fitting(item, chosen).includes(one.sku));
/** The offer that waits for this viewer's word, where there is one of what is chosen. */
export const turnOf = (item, chosen) => mineOf(item, chosen).find((one) => one.state === "offered");
/** Who has one of it already is not asked to join the line as if there were none. */
export const queueWords = (item, chosen) => t(mineOf(item, chosen).length ? "watch.queue_more" : "watch.queue");

/** The one loud thing of the page. It claims one piece of the pinned product. */
export function ClaimButton() {
  const item = pinned();
  const over = live.show.value?.stage === "ended";
  if (!item || item.closed || over) return html`<button class="btn buy" type="button" disabled>${item?.closed ? t("watch.closed") : "+1"}</button>`;
  const chosen = choice.value[item.code] ?? {};
  const out = isComplete(item, chosen) && stockFor(item, chosen)[0] <= 0;
  const turn = isComplete(item, chosen) && turnOf(item, chosen);
  const press = () => {
    if (performance.now() - changedAt() < FRESH_MS) return toast(t("watch.just_changed", { item: nameOf(item) })); // the thumb was on its way to another
    if (turn) return import("./turn.js").then((it) => it.take(turn.id));
    if (isAsked(item.code)) return document.querySelector(".words .options.ask button")?.focus();
    if (!isComplete(item, chosen)) {
      asking.value = null;
      return (asking.value = item.code);
    }
    return claim(item.code, chosen);
  };
  const words = turn ? t("watch.offer_take") : out ? queueWords(item, chosen) : "+1";
  return html`<button class=${`btn buy ${out && !turn ? "queue" : ""}`} type="button" aria-label=${`${words} ${nameOf(item)}`} aria-busy=${claiming.value} disabled=${claiming.value}
    onClick=${press}>${words}</button>`;
}
