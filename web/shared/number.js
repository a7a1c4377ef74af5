// What a person types into a field for a number: a whole number, or nothing.

/** The whole number in `text` from `least` to `most`; null for an empty field and for what is none. Zero is zero. */
export function wholeNumber(text, least = 0, most = 1_000_000) {
  const typed = String(text ?? "").normalize("NFKC").trim(); // a Chinese keyboard writes １２
  if (!/^[+-]?\d+$/.test(typed)) return null;
  const value = Number(typed);
  return value >= least && value <= most ? value : null;
}
