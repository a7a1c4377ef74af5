// What a person types into a field for a number: a whole number, a price, or nothing.
import { decimals } from "./currencies.js";

/** The whole number in `text` from `least` to `most`; null for an empty field and for what is none. Zero is zero. */
export function wholeNumber(text, least = 0, most = 1_000_000) {
  const typed = String(text ?? "").normalize("NFKC").trim(); // a Chinese keyboard writes １２
  if (!/^[+-]?\d+$/.test(typed)) return null;
  const value = Number(typed);
  return value >= least && value <= most ? value : null;
}
/** A price as a person types it (`25`, `12.50`, `12,5`), in minor units of the currency; null for what is none. */
export function priceMinor(text, currency) {
  const digits = decimals(currency);
  const found = /^(\d{1,13})(?:[.,](\d+))?$/.exec(String(text ?? "").normalize("NFKC").trim());
  if (!found || (found[2] ?? "").replace(/0+$/, "").length > digits) return null;
  const minor = Number(found[1] + (found[2] ?? "").slice(0, digits).padEnd(digits, "0"));
  return minor >= 1 && minor <= PRICE_MAX ? minor : null;
}
/** The text of a price in such a field. */
export function priceText(minor, currency) {
  const digits = decimals(currency);
  return digits ? (minor / 10 ** digits).toFixed(digits) : String(minor);
}
/** What an input of a price needs: phones show the keys for it. */
export const priceInput = (currency) => ({ type: "text", inputmode: decimals(currency) ? "decimal" : "numeric", maxlength: 16, autocomplete: "off" });
export const PRICE_MAX = 10 ** 12; // minor units, as the server takes them
