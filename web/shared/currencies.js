/**
 * Decimals of a currency's minor unit as it is counted here; what is not listed has 2. The same table as
 * livecommerce/orders/currencies.py: ISO 4217, but TWD in whole dollars (a cent exists by law, not in any till).
 */
const DECIMALS = {
  TWD: 0,
  BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0, VND: 0, VUV: 0,
  XAF: 0, XOF: 0, XPF: 0,
  BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3,
};

export const decimals = (currency) => DECIMALS[currency] ?? 2;
