// Parts of a sku, as stock/skus.py joins them: `A01/36%2F38/M` is the product A01 with the values `36/38` and `M`.
const PLAIN = { "%2F": "/", "%23": "#", "%25": "%" };

export const optionsOf = (sku) => sku.split("/").slice(1).map((value) => value.replace(/%(?:2F|23|25)/g, (found) => PLAIN[found]));
/** A sku as people read it: "A01 36/38 M". */
export const nameOfSku = (sku) => [sku.split("/")[0], ...optionsOf(sku)].join(" ");
