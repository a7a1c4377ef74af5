// The shop's desk: its shows, and a new one from the catalogue.
import { render } from "preact";
import { boot, day, errorText, money, nameOf, t, timeOfDay } from "../shared/i18n.js";
import { call, mayStand, sitePath } from "../shared/api.js";
import { wholeNumber } from "../shared/number.js";
import { Picture } from "../shared/picture.js";
import { priceInput, priceText } from "../shared/price.js";
import { typedPrice } from "../shared/price_words.js";
import { Icon, LanguageSwitch, Toasts, html, newId, signal, toast } from "../shared/ui.js";
import { OrderSheet } from "./orders.js";
import { ProductSheet } from "./product.js";
import { WordsSheet } from "./words.js";

const SUPPLY_FIRST = 10;
const products = signal(boot.products ?? []);
const shows = signal(boot.shows ?? []);
const picked = signal({}); // code -> {price, each, limit}, in the order they were picked
const title = signal("");
const perItem = signal("5"); // pieces of a product for one viewer, as the server has it where nothing is said
const newcomers = signal("50");
const busy = signal(false);
const adding = signal(false);
const wording = signal(false);
const wantedOrders = new URLSearchParams(location.search).get("orders"); // a show over in the studio leads here
const ordersOf = signal(shows.peek().find((show) => show.id === wantedOrders) ?? null); // the show whose orders are open
const problem = signal(null);
const mayHost = ["owner", "host"].includes(boot.staff.role);

const skusOf = (product) => product.skus?.length ?? product.options.reduce((all, option) => all * Object.keys(option.values).length, 1);
const left = boot.left ?? {}; // sku -> pieces the shop has left, as the page was opened
const knownSkus = (product) => (product.skus ?? []).filter((sku) => left[sku] !== undefined);
let form = newId(); // of this form: sent twice, it makes one show

function toggle(product) {
  const { [product.code]: was, ...rest } = picked.value;
  picked.value = was ? rest : { ...rest, [product.code]: { price: priceText(product.price_minor, product.currency), each: knownSkus(product).length ? "" : String(SUPPLY_FIRST), limit: String(product.limit_per_viewer ?? 0) } };
}
const set = (code, field) => (event) => (picked.value = { ...picked.value, [code]: { ...picked.value[code], [field]: event.currentTarget.value } });

/** A product of the new show; null after telling which field is no number. Pieces left empty stay as the shop has them. */
function wishOf(code, one) {
  const known = products.value.find((product) => product.code === code);
  const { minor, refusal } = typedPrice(one.price, known.currency);
  const fields = { price_minor: minor ?? null, supply: one.each.trim() === "" ? undefined : wholeNumber(one.each), limit_per_viewer: wholeNumber(one.limit || "0", 0, 10_000) };
  const wrong = Object.keys(fields).find((name) => fields[name] === null);
  if (wrong) {
    problem.value = { code: "", reason: `${code}: ${wrong === "price_minor" ? refusal : t("common.number_needed", { least: 0 })}` };
    return null;
  }
  const seen = Object.fromEntries(knownSkus(known).map((sku) => [sku, left[sku]]));
  return { code, ...fields, ...(fields.supply !== undefined && { expected: seen }) };
}

async function create(event) {
  event.preventDefault();
  if (busy.value) return;
  const items = Object.entries(picked.value).map(([code, one]) => wishOf(code, one));
  if (items.includes(null)) return;
  const limits = { per_item: wholeNumber(perItem.value, 0, 1000), newcomers_percent: wholeNumber(newcomers.value, 1, 100) };
  if (Object.values(limits).includes(null)) {
    problem.value = { code: "", reason: t("common.number_needed", { least: limits.per_item === null ? 0 : 1 }) };
    return;
  }
  busy.value = true;
  const answer = await call("POST", "/api/shows", { title: title.value.trim(), items, limits }, form);
  busy.value = false;
  if (answer.ok) return location.assign(sitePath(`/studio/${answer.show.id}`));
  if (!mayStand(answer.error)) form = newId(); // refused: what is sent next is another request
  problem.value = answer.error;
}
async function logout() {
  const answer = await call("POST", "/api/logout", {});
  if (answer.ok) location.assign(sitePath("/login"));
  else toast(errorText(answer.error), { bad: true });
}

async function remove(show) {
  const answer = await call("DELETE", `/api/shows/${show.id}`);
  if (answer.ok) shows.value = shows.value.filter((one) => one.id !== show.id);
  else toast(errorText(answer.error), { bad: true });
}

function Show({ show }) {
  const trouble = show.stage === "preparing" ? show.trouble : null;
  const at = show.started_ms || show.starts_ms || show.created_ms;
  const kind = { live: "bad", ended: "", scheduled: "ok", preparing: "" }[show.stage] ?? "";
  return html`<li class="show"><div class="grow"><div class="row"><h3>${show.title}</h3>
    <span class=${`tag ${kind}`}>${t(`common.stage_${show.stage}`)}</span></div>
      ${trouble && html`<p class="error">${errorText(trouble)}</p>`}
      <p class="muted">${day(at)} ${timeOfDay(at)} · ${t("shop.items", { n: show.items })}</p></div>
    <div class="row wrap">${mayHost && trouble && html`<button class="btn small line" type="button" onClick=${() => remove(show)}>${t("shop.show_delete")}</button>`}
      ${mayHost && html`<a class=${`btn small ${show.stage === "live" ? "" : "dark"}`} href=${sitePath(`/studio/${show.id}`)}>${t("common.studio")}</a>`}
      <a class="btn small line" href=${sitePath(`/control/${show.id}`)}>${t("common.control")}</a>
        <a class="btn small line" href=${sitePath(`/live/${show.id}`)}>${t("shop.watch")}</a>
      <button class="btn small line" type="button" onClick=${() => (ordersOf.value = show)}>${t("shop.orders")}</button></div></li>`;
}

function Product({ product }) {
  const one = picked.value[product.code];
  const skus = skusOf(product);
  const number = (field, label, least) => html`<label class="field"><span>${label}</span>
    <input class="input small" ...${field === "price" ? priceInput(product.currency) : { type: "number", inputmode: "numeric", min: least, max: 1000000 }} value=${one[field]}
      placeholder=${field === "each" && knownSkus(product).length ? t("shop.as_it_is", { n: knownSkus(product).reduce((sum, sku) => sum + left[sku], 0) }) : ""} onInput=${set(product.code, field)} />
    </label>`;
  return html`<li class=${`product ${one ? "on" : ""}`}>
    <label class="face"><input type="checkbox" checked=${!!one} onChange=${() => toggle(product)} />
      <${Picture} src=${product.picture} code=${product.code} size=${52} lazy />
      <span class="grow"><span class="row"><span class="code quiet">${product.code}</span><b class="cut">${nameOf(product)}</b></span>
        <span class="muted">${money(product.price_minor, product.currency)}${skus > 1 ? ` · ${t("shop.kinds", { n: skus })}` : ""}</span></span>
        </label>
    ${one && html`<div class="row numbers">${number("price", t("shop.price"), 1)}${number("each", t(skus > 1 ? "shop.each" : "shop.pieces"), 0)}${number("limit", t("shop.limit"), 0)}</div>`}
  </li>`;
}

function NewShow() {
  const chosen = Object.keys(picked.value).length;
  return html`<form class="new" onSubmit=${create}>
    <h2>${t("shop.new")}</h2>
    <label class="field"><span>${t("shop.name")}</span>
      <input class="input" value=${title.value} required maxlength="120" placeholder=${t("shop.name_example")}
        onInput=${(event) => (title.value = event.currentTarget.value)} />
      </label>
    <div class="row"><h3 class="grow">${t("shop.products")}</h3>
      <button class="btn small line" type="button" onClick=${() => (wording.value = true)}>${t("shop.words")}</button><button class="btn small line" type="button" onClick=${() => (adding.value = true)}>
      <${Icon} name="plus" />${t("shop.product_new")}</button></div>
    <ul class="catalogue">${products.value.map((product) => html`<${Product} key=${product.code} product=${product} />`)}</ul>
    ${products.value.length === 0 && html`<p class="muted">${t("shop.no_products")}</p>`}
    <div class="row wrap"><label class="field"><span>${t("shop.per_item")}</span>
      <input class="input" type="number" inputmode="numeric" min="0" max="1000" value=${perItem.value} onInput=${(event) => (perItem.value = event.currentTarget.value)} /></label>
      <label class="field"><span>${t("shop.newcomers")}</span>
      <input class="input" type="number" inputmode="numeric" min="1" max="100" value=${newcomers.value} onInput=${(event) => (newcomers.value = event.currentTarget.value)} /></label></div>
    <p class="muted">${t("shop.newcomers_hint")}</p>
    <div class="make">${problem.value && html`<p class="error" role="alert">${errorText(problem.value)}</p>`}
      <button class="btn" type="submit"
        disabled=${busy.value || !title.value.trim() || !chosen}>${chosen ? t("shop.create", { n: chosen }) : t("shop.create_none")}</button>
        </div>
  </form>`;
}

function Page() {
  const { staff } = boot;
  return html`<header class="bar-top"><h1 class="cut">${staff.shop_name}</h1><span class="grow"></span><${LanguageSwitch} />
    <span class="muted cut">${staff.name || staff.login} · ${t(`shop.role_${staff.role}`)}</span>
    <button class="btn small line" type="button" onClick=${logout}>${t("shop.logout")}</button></header>
    <main class="columns"><section><h2>${t("shop.shows")}</h2>
      <ul class="shows">${shows.value.map((show) => html`<${Show} key=${show.id} show=${show} />`)}</ul>${shows.value.length === 0 && html`<p class="empty">${t("shop.no_shows")}</p>`}</section>
      ${mayHost && html`<${NewShow} />`}</main>
    ${ordersOf.value && html`<${OrderSheet} show=${ordersOf.value} onClose=${() => (ordersOf.value = null)} />`}
    ${adding.value && html`<${ProductSheet} onClose=${() => (adding.value = false)} onAdded=${(product) => (products.value = [...products.value.filter((one) => one.code !== product.code), product])} />`}
    ${wording.value && html`<${WordsSheet} products=${products.value} onClose=${() => (wording.value = false)} />`}
    <${Toasts} />`;
}
render(html`<${Page} />`, document.getElementById("app"));
