// What a verdict, a claim or a ticket is in words. One place, so that a viewer, a host and a moderator read the same.
import { nameOfSku, optionsOf } from "./skus.js";
import { knows, money, nameOf, t } from "./i18n.js";

export const outcomeText = (outcome, values) => (knows(`outcome.${outcome}`) ? t(`outcome.${outcome}`, values) : t("outcome.other"));

const MADE = ["reserved", "partly", "extended", "held", "confirmed"];
const choiceOf = (claim) => optionsText(optionsOf(claim.sku ?? claim.item ?? ""));

const codeOf = (claim) => claim.code ?? (claim.sku ?? claim.item ?? "").split("/")[0];
/** Of one product its options tell the numbers apart, of several the product does too. */
function numberText(claim, withCode) {
  const of = [withCode && codeOf(claim), choiceOf(claim)].filter(Boolean).join(" ");
  return of ? t("common.mark_number_of", { of, no: claim.number }) : t("common.mark_number", { no: claim.number });
}
/** An order that came to nothing: no claim was made of it. Of lines older than the tickets that are listed nobody knows. */
const isRefused = (line) => line.verdict === "order" && line.kind === "viewer" && !line.held;
const refusedText = (line) => (line.refused && knows(`outcome.${line.refused}`) ? t(`outcome.${line.refused}`) : t("common.mark_refused"));

/**
 * "第 13 號", "紅色 M 第 2 號", "候補中", "已取消": the mark at the end of a chat line. Returns {text, kind} or null.
 * A number is of one option: where a product has options, the mark names it. A place in line is the buyer's own and moves
 * on, so it stands on the ticket alone.
 */
export function claimMark(claims, line = null) {
  if (!claims) return line && isRefused(line) ? { kind: "none", text: refusedText(line) } : null;
  if (!claims.length) return null;
  const good = claims.filter((claim) => claim.reserved > 0 && MADE.includes(claim.outcome));
  if (good.length) {
    const products = new Set(good.map(codeOf));
    const texts = good.map((claim) => numberText(claim, products.size > 1));
    const waiting = claims.reduce((sum, claim) => sum + (claim.waiting ?? 0), 0);
    return { kind: "ok", text: `${texts.join(t("common.list_sign"))} ✓${waiting ? ` · ${t("common.more_waiting", { n: waiting })}` : ""}` };
  }
  if (claims.some((claim) => claim.outcome === "offered")) return { kind: "warn", text: t("common.mark_offered") }; // not taken yet
  if (claims.some((claim) => claim.waiting > 0 && (claim.outcome === "waiting" || MADE.includes(claim.outcome)))) return { kind: "warn", text: t("common.mark_waiting") };
  return { kind: "none", text: outcomeText(claims.at(-1).outcome) };
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
  const label = ticket.label || nameOfSku(ticket.sku ?? ticket.item ?? "");
  return label.startsWith(`${ticket.code} `) ? label.slice(ticket.code.length + 1) : label;
}
export const optionsText = (options) => (Array.isArray(options) ? options : Object.values(options ?? {})).join(" ");

/** What the tickets still held or paid come to: {pieces, text}. */
export function totalOf(tickets, currency) {
  const counted = tickets.filter((ticket) => ["held", "offered", "confirmed"].includes(ticket.state));
  const minor = counted.reduce((sum, ticket) => sum + ticket.quantity * ticket.price_minor, 0);
  return { pieces: counted.reduce((sum, ticket) => sum + ticket.quantity, 0), minor, text: money(minor, currency) };
}
