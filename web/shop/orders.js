// The orders of one show: what each buyer holds, and the money noted as awaited or received.
import { boot, errorText, money, person, t } from "../shared/i18n.js";
import { call } from "../shared/api.js";
import { Sheet, Ticket, html, newId, toast, useEffect, useState } from "../shared/ui.js";

const ACTIVE = ["held", "offered", "confirmed"];
const LOOK_AGAIN_MS = 1500; // the worker writes what stock decided into the orders a moment later
const mayHost = ["owner", "host"].includes(boot.staff.role);

const linesText = (order) =>
  order.lines.filter((line) => ACTIVE.includes(line.state)).map((line) => `${line.text || line.sku} × ${line.quantity}`).join("、") || t("shop.order_nothing");

function Actions({ order, act }) {
  const pending = order.payments.find((payment) => payment.state === "pending");
  if (pending) return html`<div class="row wrap">
    <button class="btn small" type="button"
      onClick=${() => act(`/api/payments/${pending.id}/paid`, {})}>${t("shop.order_received", { sum: money(pending.amount_minor, pending.currency) })}</button>
    <span class="muted">${t(`shop.method_${pending.method}`)}</span></div>`;
  const begin = (method) => () => act(`/api/orders/${order.id}/payments`, { id: newId(), method });
  return html`<div class="row wrap">
    <button class="btn small line" type="button" onClick=${begin("bank_transfer")}>${t("shop.method_bank_transfer")}</button>
    <button class="btn small line" type="button" onClick=${begin("cash_on_delivery")}>${t("shop.method_cash_on_delivery")}</button></div>`;
}

function Order({ order, act }) {
  const due = order.total_minor - order.confirmed_minor;
  const kind = order.state === "cancelled" ? "none" : due > 0 ? "held" : "paid";
  return html`<li>
    <${Ticket} kind=${kind} gone=${order.state === "cancelled"} small=${t("shop.order")} number=${order.number} title=${person(order.name)} sub=${linesText(order)}
      right=${html`<span class="left">${money(order.total_minor, order.currency)}</span>`} />
    ${mayHost && due > 0 && html`<${Actions} order=${order} act=${act} />`}${order.confirmed_minor > 0 && html`<p class="muted">${t("shop.order_paid", { sum: money(order.confirmed_minor, order.currency) })}</p>`}</li>`;
}

export function OrderSheet({ show, onClose }) {
  const [orders, setOrders] = useState(null);
  const [next, setNext] = useState(null);
  const load = async (after = 0) => {
    const answer = await call("GET", `/api/shows/${show.id}/orders?after=${after}`);
    if (!answer.ok) return toast(errorText(answer.error), { bad: true });
    setOrders((before) => (after ? [...before, ...answer.orders] : answer.orders));
    return setNext(answer.next);
  };
  useEffect(() => {
    load();
  }, []);
  const act = async (path, body) => {
    const answer = await call("POST", path, body);
    if (!answer.ok) return toast(errorText(answer.error), { bad: true });
    await load();
    return setTimeout(load, LOOK_AGAIN_MS);
  };
  return html`<${Sheet} title=${`${show.title} · ${t("shop.orders")}`} onClose=${onClose}
    footer=${html`<a class="btn line" href=${`/api/shows/${show.id}/orders.csv`} download=${`orders-${show.id}.csv`}>${t("shop.orders_csv")}</a>
      <a class="btn line" href=${`/api/shows/${show.id}/orders.xlsx`} download=${`orders-${show.id}.xlsx`}>${t("shop.orders_xlsx")}</a>`}>
    ${orders === null && html`<p class="muted" role="status">${t("common.connecting")}</p>`}
    ${orders?.length === 0 && html`<p class="muted">${t("shop.no_orders")}</p>`}
    <ul class="orders">${orders?.map((order) => html`<${Order} key=${order.id} order=${order} act=${act} />`)}</ul>
    ${next && html`<button class="btn small line" type="button" onClick=${() => load(next)}>${t("shop.orders_more")}</button>`}
  <//>`;
}
