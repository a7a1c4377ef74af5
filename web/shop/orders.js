// The orders of one show: what each buyer holds, and the money noted as awaited or received.
import { boot, day, errorText, locale, money, person, t, timeOfDay } from "../shared/i18n.js";
import { call, mayStand, sitePath } from "../shared/api.js";
import { Sheet, Ticket, html, newId, toast, useEffect, useRef, useState } from "../shared/ui.js";
import { piecesText } from "../shared/verdict.js";

const ACTIVE = ["held", "offered", "confirmed"];
const SURE_SECONDS = 5; // how long a press that takes money back waits for its second
const LOOK_AGAIN_MS = 1500; // the worker writes what stock decided into the orders a moment later
const mayHost = ["owner", "host"].includes(boot.staff.role);

const linesText = (order) =>
  order.lines.filter((line) => ACTIVE.includes(line.state)).map((line) => `${line.text || line.sku} ${piecesText(line.quantity, line.waiting)}`).join(t("common.list_sign")) || t("shop.order_nothing");

/** What one may do about the money of an order. One thing at a time: a second click waits for the first answer. */
function Actions({ order, methods, act }) {
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(null); // the payment that a second click takes back
  useEffect(() => {
    if (sure === null) return undefined;
    const timer = setTimeout(() => setSure(null), SURE_SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [sure]);
  const ids = useRef({}); // method -> id of the payment that this page began and has no answer for
  const press = (path, body) => async () => {
    if (busy) return null;
    setBusy(true);
    const answer = await act(order.id, path, body);
    setBusy(false);
    return answer;
  };
  const [told, setTold] = useState({}); // id of a payment -> what its buyer does, by locale
  const nameOf = (method) => named(methods, method);
  const post = async (body) => {
    const answer = await press(`/api/orders/${order.id}/payments`, body)();
    if (answer?.ok) setTold((before) => ({ ...before, [body.id]: answer.instructions }));
    return answer;
  };
  const begin = (method) => async () => {
    const id = (ids.current[method] ??= newId());
    const answer = await post({ id, method });
    if (answer?.ok || (answer && !mayStand(answer.error))) delete ids.current[method];
    if (answer?.held_until_ms) toast(t("shop.order_held_until", { day: day(answer.held_until_ms), time: timeOfDay(answer.held_until_ms) }));
  };
  // `confirming` and `undoing` are presses that came to no end: the same button finishes them.
  const open = order.payments.filter((payment) => ["pending", "confirming", "undoing"].includes(payment.state));
  const covered = new Set(order.payments.filter((payment) => payment.state !== "void").flatMap((payment) => payment.reservations));
  const isOutdated = (payment) => order.lines.filter((line) => payment.reservations.includes(line.reservation) && ACTIVE.includes(line.state)).reduce((sum, line) => sum + line.quantity * line.unit_price_minor, 0) !== payment.amount_minor;
  const left = order.lines.some((line) => ["held", "offered"].includes(line.state) && line.quantity && !covered.has(line.reservation)) || open.some((payment) => payment.state === "pending" && isOutdated(payment));
  const undo = (payment) => html`<button class="link" type="button" disabled=${busy} onBlur=${() => setSure(null)}
    onClick=${() => (sure === payment.id ? press(`/api/payments/${payment.id}/undo`, {})() : setSure(payment.id))}>${t(sure === payment.id ? "shop.order_undo_sure" : "shop.order_undo")}</button>`;
  return html`${open.map((payment) => html`<div key=${payment.id} class="row wrap">
      ${payment.state === "undoing" ? null : payment.state === "pending" && isOutdated(payment) ? html`<span class="muted">${t("shop.order_outdated", { sum: money(payment.amount_minor, payment.currency) })}</span>` : html`<button class="btn small" type="button" disabled=${busy}
        onClick=${press(`/api/payments/${payment.id}/paid`, {})}>${t("shop.order_received", { sum: money(payment.amount_minor, payment.currency) })}</button>`}
      <span class="muted">${nameOf(payment.method)}</span>${undo(payment)}
      ${payment.state !== "pending" ? null : told[payment.id] ? html`<p class="told">${told[payment.id][locale.value]}</p>` : html`<button class="link" type="button" disabled=${busy}
        onClick=${() => post({ id: payment.id, method: payment.method, reference: payment.reference })}>${t("shop.order_how")}</button>`}</div>`)}
    ${order.payments.filter((payment) => payment.state === "paid").map((payment) => html`<div key=${payment.id} class="row wrap">
      <span class="muted">${t("shop.order_paid", { sum: money(payment.amount_minor, payment.currency) })} · ${nameOf(payment.method)}</span>${undo(payment)}</div>`)}
    ${left && html`<div class="row wrap">
    ${order.methods.map((method) => html`<button key=${method} class="btn small line" type="button" disabled=${busy} onClick=${begin(method)}>${nameOf(method)}</button>`)}</div>`}`;
}

const named = (methods, method) => methods[method]?.names[locale.value] ?? method; // a provider may have gone since

/** Money that came and went: what was taken back stays to be seen, with the day and who noted it. */
function History({ order, methods }) {
  if (!order.history?.length) return null;
  return html`<ul class="history muted small">${order.history.map((one) => html`<li key=${one.payment + one.what}>${t(`shop.history_${one.what}`, {
    sum: money(one.amount_minor, one.currency), method: named(methods, one.method), day: day(one.at_ms), time: timeOfDay(one.at_ms), by: one.by || "–",
  })}${one.reference ? ` · ${one.reference}` : ""}</li>`)}</ul>`;
}

function Order({ order, methods, act }) {
  const due = order.total_minor - order.confirmed_minor;
  const kind = order.state === "cancelled" ? "none" : due > 0 ? "held" : "paid";
  return html`<li>
    <${Ticket} kind=${kind} gone=${order.state === "cancelled"} small=${t("shop.order")} number=${order.number} title=${person(order.name)} sub=${linesText(order)}
      right=${html`<span class="left">${money(order.total_minor, order.currency)}</span>`} />
    ${mayHost && html`<${Actions} order=${order} methods=${methods} act=${act} />`}<${History} order=${order} methods=${methods} /></li>`;
}

export function OrderSheet({ show, onClose }) {
  const [orders, setOrders] = useState(null);
  const [next, setNext] = useState(null);
  const [methods, setMethods] = useState({});
  const load = async (after = 0) => {
    const answer = await call("GET", `/api/shows/${show.id}/orders?after=${after}`);
    if (!answer.ok) return toast(errorText(answer.error), { bad: true });
    setOrders((before) => (after ? [...before, ...answer.orders] : answer.orders));
    setMethods(answer.methods);
    return setNext(answer.next);
  };
  useEffect(() => {
    load();
  }, []);
  // One alone: the list may be several pages long, and the order just pressed the last of them.
  const loadOne = async (id) => {
    const answer = await call("GET", `/api/orders/${id}`);
    if (answer.ok) setOrders((before) => before.map((order) => (order.id === id ? answer.order : order)));
  };
  const act = async (id, path, body) => {
    const answer = await call("POST", path, body);
    if (!answer.ok) toast(errorText(answer.error), { bad: true });
    await loadOne(id);
    setTimeout(loadOne, LOOK_AGAIN_MS, id);
    return answer;
  };
  return html`<${Sheet} title=${`${show.title} · ${t("shop.orders")}`} onClose=${onClose}
    footer=${html`<a class="btn line" href=${sitePath(`/api/shows/${show.id}/orders.csv`)} download=${`orders-${show.id}.csv`}>${t("shop.orders_csv")}</a>
      <a class="btn line" href=${sitePath(`/api/shows/${show.id}/orders.xlsx`)} download=${`orders-${show.id}.xlsx`}>${t("shop.orders_xlsx")}</a>`}>
    ${orders === null && html`<p class="muted" role="status">${t("common.connecting")}</p>`}
    ${orders?.length === 0 && html`<p class="muted">${t("shop.no_orders")}</p>`}
    <ul class="orders">${orders?.map((order) => html`<${Order} key=${order.id} order=${order} methods=${methods} act=${act} />`)}</ul>
    ${next && html`<button class="btn small line" type="button" onClick=${() => load(next)}>${t("shop.orders_more")}</button>`}
  <//>`;
}
