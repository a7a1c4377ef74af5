// What a verdict, a claim or a ticket is in words. One place, so that a viewer, a host and a moderator read the same.
import { optionsOf } from "./skus.js";
import { knows, money, nameOf, t } from "./i18n.js";

export const outcomeText = (outcome, values) => (knows(`outcome.${outcome}`) ? t(`outcome.${outcome}`, values) : t("outcome.other"));

const MADE = ["reserved", "partly", "held", "offered", "confirmed"];
const choiceOf = (claim) => optionsText(optionsOf(claim.sku ?? claim.item ?? ""));

/**
 * "第 13 號", "紅色 M 第 2 號", "候補中", "已取消": the mark at the end of a chat line. Returns {text, kind} or null.
 * A number is of one option: where a product has options, the mark names it. A place in line is the buyer's own and moves
 * on, so it stands on the ticket alone.
 */
export function claimMark(claims) {
  if (!claims?.length) return null;
  const good = claims.filter((claim) => claim.reserved > 0 && MADE.includes(claim.outcome));
  if (good.length) {
    const texts = good.map((claim) => (choiceOf(claim) ? t("common.mark_number_of", { of: choiceOf(claim), no: claim.number }) : t("common.mark_number", { no: claim.number })));
    return { kind: "ok", text: `${texts.join("、")} ✓` };
  }
  if (claims.some((claim) => claim.waiting > 0 && (claim.outcome === "waiting" || MADE.includes(claim.outcome)))) return { kind: "warn", text: t("common.mark_waiting") };
  return { kind: "none", text: outcomeText(claims[0].outcome) };
}

/** "× 3", "× 1 · 2 in line": the pieces of a ticket or of an answered line, held and waiting apart. */
export function piecesText(held, waiting) {
  if (held && waiting) return `×\u00a0${held} · ${t("common.more_waiting", { n: waiting })}`;
  return held || waiting ? `×\u00a0${held || waiting}` : "";
}

/** Kind of ticket for a state or outcome: held, wait, paid or none. */
export function ticketKind(state) {
  if (["held", "reserved", "partly", "offered", "reduced", "changed", "swapped", "extended"].includes(state)) return "held";
  if (state === "confirmed") return "paid";
  return state === "waiting" ? "wait" : "none";
}
export const isOver = (state) => state === "cancelled" || state === "expired" || state === "released";
/** "針織外套 紅色 M": the product's name in the page's language and the options; without the product what the server calls it. */
export function labelOf(ticket, item) {
  const values = optionsText(ticket.options ?? optionsOf(ticket.sku ?? ticket.item ?? ""));
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
