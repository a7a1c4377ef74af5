// What a verdict, a claim or a ticket is in words. One place, so that a viewer, a host and a moderator read the same.
import { knows, money, nameOf, t } from "./i18n.js";

export const outcomeText = (outcome, values) => (knows(`outcome.${outcome}`) ? t(`outcome.${outcome}`, values) : t("outcome.other"));

/** "第 13 號", "候補第 4", "售完": the mark at the end of a chat line. Returns {text, kind} or null. */
export function claimMark(claims) {
  if (!claims?.length) return null;
  const good = claims.filter((claim) => claim.reserved > 0);
  if (good.length) {
    const numbers = good.map((claim) => claim.number);
    return { kind: "ok", text: t("common.mark_number", { no: numbers.join("、") }) };
  }
  const waiting = claims.find((claim) => claim.waiting > 0);
  if (waiting) return { kind: "warn", text: t("common.mark_waiting", { no: waiting.position }) };
  return { kind: "none", text: outcomeText(claims[0].outcome) };
}

/** Kind of ticket for a state or outcome: held, wait, paid or none. */
export function ticketKind(state) {
  if (state === "held" || state === "reserved" || state === "partly" || state === "offered" || state === "reduced" || state === "extended") return "held";
  if (state === "confirmed") return "paid";
  return state === "waiting" ? "wait" : "none";
}
export const isOver = (state) => state === "cancelled" || state === "expired" || state === "released";
/** "針織外套 紅色 M": the product's name in the page's language and the options; without the product what the server calls it. */
export function labelOf(ticket, item) {
  const values = optionsText(ticket.options ?? (ticket.sku ?? ticket.item ?? "").split("/").slice(1));
  if (item) return values ? `${nameOf(item)} ${values}` : nameOf(item);
  const label = ticket.label || ticket.sku || ticket.item || "";
  return label.startsWith(`${ticket.code} `) ? label.slice(ticket.code.length + 1) : label;
}
export const optionsText = (options) => (Array.isArray(options) ? options : Object.values(options ?? {})).join(" ");

/** What the tickets still held or paid come to: {pieces, text}. */
export function totalOf(tickets, currency) {
  const counted = tickets.filter((ticket) => ["held", "offered", "confirmed"].includes(ticket.state));
  const minor = counted.reduce((sum, ticket) => sum + ticket.quantity * ticket.price_minor, 0);
  return { pieces: counted.reduce((sum, ticket) => sum + ticket.quantity, 0), minor, text: money(minor, currency) };
}
