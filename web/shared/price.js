// What a person types into a field for a price.
import { decimals } from "./currencies.js";

const PRICE_MAX = 10 ** 12; // minor units, as the server takes them

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
