// The list of all products: loaded when somebody opens it.
import { nameOf, t } from "../shared/i18n.js";
import { isComplete } from "../shared/live.js";
import { Picture } from "../shared/picture.js";
import { Sheet, html, useState } from "../shared/ui.js";
import { Options, Price, StockLine, queueWords, stockFor, turnOf } from "./card.js";
import { claim, claiming, live, sheet, shownPin } from "./room.js";
import { take } from "./turn.js";

function Row({ item, onPin }) {
  const [chosen, setChosen] = useState({});
  const [open, setOpen] = useState(false);
  const ready = isComplete(item, chosen);
  const out = ready && stockFor(item, chosen)[0] <= 0;
  const turn = ready && turnOf(item, chosen);
  const press = () => {
    if (!ready) return setOpen(true);
    sheet.value = null; // the answer, good or bad, is a ticket on the page below
    return turn ? take(turn.id) : claim(item.code, chosen);
  };
  const words = turn ? t("watch.offer_take") : out ? queueWords(item, chosen) : "+1";
  return html`<li class=${`product ${onPin ? "on" : ""}`}>
    <${Picture} src=${item.picture} code=${item.code} size=${72} lazy />
    <div class="grow">
      <div class="row"><span class=${`code ${onPin ? "" : "quiet"}`}>${item.code}</span><h3 class="cut">${nameOf(item)}</h3></div>
      <${Price} item=${item} /><${StockLine} item=${item} chosen=${chosen} />
    </div>
    <button class=${`btn small ${onPin && !out ? "" : "line"}`} type="button" aria-label=${`${words} ${nameOf(item)}`}
      disabled=${item.closed || claiming.value} onClick=${press}>${item.closed ? t("watch.closed") : words}</button>
    ${open && html`<div class="all-options">
      <${Options} item=${item} chosen=${chosen} ask=${!ready} onChoose=${(axis, value) => setChosen({ ...chosen, [axis]: value })} />
      ${item.description && html`<p class="muted">${item.description}</p>`}</div>`}
  </li>`;
}

export function ProductSheet({ offer }) {
  const code = shownPin.value?.code;
  return html`<${Sheet}
    title=${t("watch.products")} tone="paper" onClose=${() => (sheet.value = null)} aside=${html`<span class="muted">${t("watch.pieces", { n: live.items.value.length })}</span>`}>
    ${offer && html`<${offer} />`}<ul class="products">${live.items.value.map((item) => html`<${Row} key=${item.code} item=${item} onPin=${item.code === code} />`)}</ul>
  <//>`;
}
