// The product list: arrows and Enter, the pinned product large, and an editor for price and stock.
import { count, money, nameOf, t } from "../shared/i18n.js";
import { totals } from "../shared/live.js";
import { command, live, mayHost } from "../shared/staff.js";
import { optionsOf } from "../shared/skus.js";
import { Picture } from "../shared/picture.js";
import { priceInput, priceText } from "../shared/price.js";
import { typedPrice } from "../shared/price_words.js";
import { wholeNumber } from "../shared/number.js";
import { Bar, Icon, Sheet, html, toast, useEffect, useRef, useState } from "../shared/ui.js";
import { catalogue, dialog, expanded, isWanted, left, pin, pinnedCode, selected, unpin } from "./desk.js";

function stockText([available, , , waiting, supplied]) {
  const left = available > 0 ? t("studio.left", { n: count(available), of: count(supplied) }) : t("studio.out");
  return waiting > 0 ? `${left} · ${t("studio.waiting", { n: count(waiting) })}` : left;
}

const isOver = () => live.show.value.stage === "ended";

export function Pinned() {
  const item = pinnedCode.value && live.item(pinnedCode.value);
  if (!item && isOver()) return null;
  if (!item) return html`<div class="pinned none"><p>${t("studio.nothing_pinned")}</p></div>`;
  const stock = totals(item, live.stock.value);
  return html`<div class="pinned">
    <${Picture} src=${item.picture} code=${item.code} size=${84} />
    <div class="grow"><div class="row"><span class="code">${item.code}</span><span class="muted cut grow">${t("studio.on_screen")}</span>
      ${!isOver() && html`<button class="btn small line" type="button" onClick=${unpin}>${t("studio.unpin")} <kbd>Esc</kbd></button>`}</div>
      <h2 class="cut">${nameOf(item)}</h2>
      <div class="row figures"><b>${money(item.price_minor, item.currency)}</b>
        <span class=${stock[0] <= 0 ? "out" : stock[0] <= 10 ? "low" : ""}>${stockText(stock)}</span></div>
      <${Bar} stock=${stock} /></div>
  </div>`;
}

function SkuRow({ item, sku, label }) {
  const stock = live.stock.value[sku] ?? [0, 0, 0, 0, 0];
  const [amount, setAmount] = useState("5");
  const change = (sign) => {
    const pieces = wholeNumber(amount, 1);
    if (pieces === null) return toast(t("common.number_needed", { least: 1 }), { bad: true });
    const quantity = pieces * sign;
    const said = t("studio.stock_changed", { item: label || nameOf(item), n: quantity > 0 ? `+${quantity}` : quantity });
    if (quantity > 0) return command("restock", { sku, quantity }, said);
    return command("adjust", { sku, quantity, reason: "studio" }, said);
  };
  const set = () => {
    const available = wholeNumber(amount);
    if (available === null) return toast(t("common.number_needed", { least: 0 }), { bad: true });
    return command("set_stock", { sku, available, expected: stock[0] }, t("studio.stock_set", { item: label || nameOf(item), n: count(available) }));
  };
  return html`<tr><th scope="row">${label || item.code}</th><td class="number" title=${t("studio.left_label")}>${count(stock[0])}</td>
    <td class="muted">${stock[3] ? t("studio.waiting", { n: stock[3] }) : ""}</td>
    <td class="edit"><button class="icon" type="button" aria-label=${t("studio.less", { item: label || item.code })} onClick=${() => change(-1)}>
      <${Icon} name="minus" /></button>
      <input class="input small" type="number" inputmode="numeric" min="0" max="1000000" value=${amount} aria-label=${t("studio.pieces")}
        onInput=${(event) => setAmount(event.currentTarget.value)} />
      <button class="icon" type="button" aria-label=${t("studio.more", { item: label || item.code })} onClick=${() => change(1)}>
        <${Icon} name="plus" /></button>
      <button class="btn small line" type="button" aria-label=${t("studio.set_left", { item: label || item.code })} onClick=${set}>${t("studio.set")}
        </button></td></tr>`;
}

function Editor({ item }) {
  const [price, setPrice] = useState(priceText(item.price_minor, item.currency));
  useEffect(() => setPrice(priceText(item.price_minor, item.currency)), [item.price_minor]);
  const save = (event) => {
    event.preventDefault();
    const { minor, refusal } = typedPrice(price, item.currency);
    if (refusal) return toast(refusal, { bad: true });
    if (minor !== item.price_minor) command("price", { code: item.code, price_minor: minor }, t("studio.price_changed", { item: nameOf(item), price: money(minor, item.currency) }));
    return undefined;
  };
  const close = () => command(item.closed ? "open_item" : "close_item", { code: item.code }, t(item.closed ? "studio.opened" : "studio.closed_done", { item: nameOf(item) }));
  const remove = () => command("remove_item", { code: item.code }, t("studio.removed", { item: nameOf(item) }));
  const label = (sku) => optionsOf(sku).join(" ");
  return html`<div class="editor">
    <form class="row" onSubmit=${save}><label class="row grow"><span class="muted nowrap">${t("studio.price")}</span>
      <input class="input small" ...${priceInput(item.currency)} value=${price} disabled=${!mayHost()}
        onInput=${(event) => setPrice(event.currentTarget.value)} />
      </label>
      <button class="btn small line" type="submit" disabled=${!mayHost()}>${t("studio.save")}</button></form>
    ${mayHost() && html`<table class="skus"><caption class="sr">${t("studio.stock")}</caption>
      <tbody>${item.skus.map((sku) => html`<${SkuRow} key=${sku} item=${item} sku=${sku} label=${label(sku)} />`)}</tbody></table>`}
    <div class="row wrap">
      <button class="btn small line" type="button" onClick=${close}>${t(item.closed ? "studio.open_item" : "studio.close_item")}</button>
      ${mayHost() && html`<button class="btn small line" type="button" onClick=${remove} disabled=${isWanted(item)}
        title=${isWanted(item) ? t("studio.remove_hint") : null}>${t("studio.remove")}</button>`}</div>
  </div>`;
}

function Row({ item }) {
  const stock = totals(item, live.stock.value);
  const on = pinnedCode.value === item.code;
  const chosen = selected.value === item.code;
  const open = expanded.value === item.code;
  const row = useRef(null);
  useEffect(() => {
    if (chosen) row.current.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const toggle = () => {
    selected.value = item.code;
    if (!isOver()) expanded.value = open ? null : item.code;
  };
  return html`<li ref=${row} class=${`item ${on ? "on" : ""} ${chosen ? "chosen" : ""}`}>
    <button class="face" type="button" aria-expanded=${open} aria-current=${chosen ? "true" : null} onClick=${toggle}>
      <${Picture} src=${item.picture} code=${item.code} size=${48} lazy />
      <span class="grow"><span class="row name"><b>${item.code}</b><span class="cut">${nameOf(item)}</span><span class="grow"></span>
        <b class="amount">${money(item.price_minor, item.currency)}</b></span>
        <${Bar} stock=${stock} /><span class=${`muted ${stock[0] <= 0 ? "out" : ""}`}>${item.closed ? t("studio.closed") : stockText(stock)}</span>
          </span>
    </button>
    ${!isOver() && html`<button class=${`icon pin ${on ? "is" : ""}`} type="button" aria-pressed=${on}
      aria-label=${t(on ? "studio.unpin_item" : "studio.pin_item", { item: nameOf(item) })} onClick=${() => (on ? unpin() : pin(item.code))}>
      <${Icon} name="pin" /></button>`}
    ${open && !isOver() && html`<${Editor} item=${item} />`}
  </li>`;
}

export function Products() {
  return html`<section class="products" aria-label=${t("studio.products")}>
    <${Pinned} />
    <div class="row head"><h2>${t("studio.products")}</h2><span class="grow"></span>${!isOver() && html`<span class="muted keys">
      <kbd>↑</kbd> <kbd>↓</kbd> <kbd>Enter</kbd> ${t("studio.pin")}</span>`}</div>
    <ul class="items">${live.items.value.map((item) => html`<${Row} key=${item.code} item=${item} />`)}</ul>
    ${mayHost() && !isOver() && html`<button class="btn line add" type="button" onClick=${() => (dialog.value = "add")}>
      <${Icon} name="plus" />${t("studio.add")}</button>`}
  </section>`;
}

const skusOfProduct = (product) => product.skus ?? [product.code];

function AddRow({ product }) {
  // Sold before, the shop has a figure already; an empty field leaves it as it is.
  const known = skusOfProduct(product).filter((sku) => left[sku] !== undefined);
  const [each, setEach] = useState(known.length ? "" : "10");
  const was = live.part("removed").value?.[product.code]; // taken out of this show: it comes back at the price it had here
  const [price, setPrice] = useState(priceText((was ?? product).price_minor, product.currency));
  const skus = skusOfProduct(product);
  const add = async () => {
    const pieces = each.trim() === "" ? undefined : wholeNumber(each);
    const { minor, refusal } = typedPrice(price, product.currency);
    if (refusal || pieces === null) return toast(refusal ?? t("common.number_needed", { least: 0 }), { bad: true });
    const { supply, name, skus: ignored, closed, ...item } = product;
    const set = pieces === undefined ? {} : { supply: Object.fromEntries(skus.map((sku) => [sku, pieces])) };
    return command("add_item", { item: { ...item, compare_at_minor: (was ?? product).compare_at_minor, price_minor: minor, ...set } }, t("studio.added", { item: nameOf(product) }));
  };
  return html`<li class="row add-row"><${Picture} src=${product.picture} code=${product.code} size=${48} lazy />
    <span class="grow"><b>${product.code}</b> ${nameOf(product)}</span>
    <label class="field"><span>${t("studio.price")}</span>
      <input class="input small" ...${priceInput(product.currency)} value=${price} onInput=${(event) => setPrice(event.currentTarget.value)} />
      </label>
    <label class="field"><span>${t(skus.length > 1 ? "studio.each" : "studio.pieces")}</span>
      <input class="input small" type="number" inputmode="numeric" min="0" value=${each} placeholder=${known.length ? t("studio.as_it_is", { n: count(known.reduce((sum, sku) => sum + left[sku], 0)) }) : ""} onInput=${(event) => setEach(event.currentTarget.value)} />
      </label>
    <button class="btn small" type="button" onClick=${add}>${t("studio.add_one")}</button></li>`;
}

export function AddSheet() {
  const there = new Set(live.items.value.map((item) => item.code));
  const rest = catalogue.filter((product) => !there.has(product.code));
  return html`<${Sheet} title=${t("studio.add")} tone="ink" onClose=${() => (dialog.value = null)}>
    ${rest.length ? html`<ul class="add-list">${rest.map((product) => html`<${AddRow} key=${product.code} product=${product} />`)}</ul>` : html`<p class="muted">${t("studio.add_none")}</p>`}
  <//>`;
}
