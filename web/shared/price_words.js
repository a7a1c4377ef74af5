// Why a typed price is not taken, in words that name what it may have meant.
import { readPrice, priceText } from "./price.js";
import { locale, money, t } from "./i18n.js";

/** What a person typed as {minor} in the page's language, or {refusal}: a sentence. */
export function typedPrice(text, currency) {
  const read = readPrice(text, currency, locale.value);
  if (read.minor !== undefined) return read;
  const both = { text: String(text).trim(), thousands: money(read.thousands ?? 0, currency), plain: priceText(read.thousands ?? 0, currency) };
  if (read.why === "unclear" && read.decimal !== null) return { refusal: t("common.price_unclear", { ...both, decimal: money(read.decimal, currency), short: priceText(read.decimal, currency) }) };
  if (read.why === "unclear") return { refusal: t("common.price_thousands", both) };
  if (read.why === "decimals") return { refusal: t("common.price_decimals", { text: both.text, currency, n: read.digits }) };
  return { refusal: t("common.price_needed") };
}
