// What an order still lacks: chips for it. Loaded with the first order that names no option.
import { money, nameOf, t } from "../shared/i18n.js";
import { isComplete } from "../shared/live.js";
import { html, useState } from "../shared/ui.js";
import { Options } from "./card.js";
import { claim, live, showRibbon } from "./room.js";

export function Need({ need, quantity }) {
  const item = live.item(need.code);
  const [given, setGiven] = useState(need.options ?? {});
  if (!item) return null;
  const pick = (axis, value) => {
    const next = { ...given, [axis]: value };
    setGiven(next);
    if (!isComplete(item, next)) return;
    showRibbon(null);
    claim(need.code, next, quantity);
  };
  return html`<div class="words"><div class="grow"><b class="thing">${nameOf(item)} ×\u00a0${quantity}</b>
    <span>${money(item.price_minor, item.currency)} · ${t("watch.need")}</span>
    <${Options} item=${item} axes=${need.axes} chosen=${given} ask=${true} onChoose=${pick} /></div></div>`;
}
