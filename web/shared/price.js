// What a person types into a field for a price. Nothing is guessed: what can be read in two ways is asked back.
import { decimals } from "./currencies.js";

const PRICE_MAX = 10 ** 12; // minor units, as the server takes them
const GROUPED = (sign) => new RegExp(`^[1-9]\\d{0,2}(?:[${sign}]\\d{3})+$|^[1-9]\\d?(?:[${sign}]\\d{2})+[${sign}]\\d{3}$`); // 1,290,000 and India's 12,90,000

/** Signs that may stand before or after an amount of this currency: `$`, `US$`, `USD`. Another currency's is no price. */
function signsOf(currency, locale) {
  const ways = [locale, "en"].flatMap((language) => ["symbol", "narrowSymbol", "code"].map((currencyDisplay) => ({ language, currencyDisplay })));
  const signs = ways.map(({ language, currencyDisplay }) => new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay }).formatToParts(1).find((part) => part.type === "currency").value);
  return [...new Set([...signs, ...(currency === "TWD" ? ["NT$", "元"] : [])])].map((sign) => sign.normalize("NFKC").toUpperCase()).sort((a, b) => b.length - a.length);
}
function withoutSign(text, currency, locale) {
  const bare = text.normalize("NFKC").replaceAll("\u2019", "'").trim().toUpperCase();
  for (const sign of signsOf(currency, locale)) {
    if (bare.startsWith(sign)) return bare.slice(sign.length).trim();
    if (bare.endsWith(sign)) return bare.slice(0, -sign.length).trim();
  }
  return bare;
}
const groupSign = (locale) => new Intl.NumberFormat(locale).formatToParts(1234567).find((part) => part.type === "group")?.value.normalize("NFKC") ?? ",";

/** Whole units and decimals of an amount without its sign; `unclear` where the one separator may be either. */
function parts(text, digits, locale) {
  if (/^\d+$/.test(text)) return { whole: text, rest: "" };
  const signs = [...text.replace(/\d/g, "")];
  const last = signs.at(-1);
  const at = text.lastIndexOf(last);
  const [head, tail] = [text.slice(0, at), text.slice(at + 1)];
  const isDecimal = [".", ","].includes(last) && signs.indexOf(last) === signs.length - 1;
  const groups = signs.length > 1 ? signs[0] : null;
  if (!isDecimal || (groups === null && tail.length === 3 && digits === 0)) return GROUPED(last).test(text) && { whole: text.replaceAll(last, ""), rest: "" };
  if (!/^\d+$/.test(tail)) return null;
  if (groups) return GROUPED(groups).test(head) && { whole: head.replaceAll(groups, ""), rest: tail };
  if (!/^\d+$/.test(head)) return null;
  if (tail.length === 3 && GROUPED(last).test(text)) {
    if (last === groupSign(locale) && digits < 3) return { whole: head + tail, rest: "" };
    if (last === groupSign(locale) || digits < 3) return { whole: head, rest: tail, unclear: true };
  }
  return { whole: head, rest: tail };
}

/**
 * A price as a person types it (`25`, `12,5`, `1,290`, `1.290,50`, `１２．５０`, `$25`), read by the currency's decimals and
 * the page's locale: {minor}, or {why}: `none`; `decimals`, more than the currency has; `unclear`, with the two readings
 * `thousands` and `decimal` in minor units (of `decimal` null where the currency has not so many).
 */
export function readPrice(text, currency, locale = "en") {
  const digits = decimals(currency);
  const found = parts(withoutSign(String(text ?? ""), currency, locale), digits, locale);
  if (!found) return { why: "none" };
  const { whole, rest, unclear } = found;
  const minorOf = (units, cents) => Number(units + cents.slice(0, digits).padEnd(digits, "0"));
  const hasMore = /[1-9]/.test(rest.slice(digits)) || rest.length > Math.max(digits, 2); // `590.00` says nothing of cents
  if (unclear) return { why: "unclear", thousands: minorOf(whole + rest, ""), decimal: /[1-9]/.test(rest.slice(digits)) ? null : minorOf(whole, rest) };
  if (hasMore) return { why: "decimals", digits };
  const minor = minorOf(whole, rest);
  return minor >= 1 && minor <= PRICE_MAX ? { minor } : { why: "none" };
}
/** The text of a price in such a field. */
export function priceText(minor, currency) {
  const digits = decimals(currency);
  return digits ? (minor / 10 ** digits).toFixed(digits) : String(minor);
}
/** What an input of a price needs: phones show the keys for it. */
export const priceInput = (currency) => ({ type: "text", inputmode: decimals(currency) ? "decimal" : "numeric", maxlength: 24, autocomplete: "off" });
