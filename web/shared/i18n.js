// Texts, money and times. The page comes with the texts of its first language; the other one is fetched when asked for.
import { signal } from "@preact/signals";
import { wordsOf } from "./kinds.js";

import { decimals } from "./currencies.js";
import { nameOfSku } from "./skus.js";

const holder = document.getElementById("texts");
export const boot = JSON.parse(document.getElementById("boot").textContent);
export const locale = signal(boot.locale);
const texts = signal({ ...wordsOf(boot.locale), ...JSON.parse(holder.textContent) });

/** The text of `key`; `{name}` parts come from `values`; with `n` = 1 the key with `.one` is taken where there is one. */
export function t(key, values) {
  const known = texts.value;
  let text = values && String(values.n) === "1" ? known[`${key}.one`] : undefined;
  text ??= known[key];
  if (text === undefined) return key;
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "") : text;
}

/** True when there is a text: for codes that the server may add before the page knows them. */
export const knows = (key) => texts.value[key] !== undefined;

/** Changes the language without a reload, so that the picture keeps playing; the server remembers it by cookie. */
export async function setLocale(next) {
  const files = (next === "en" ? holder.dataset.en : holder.dataset.zh).trim().split(" ");
  const answers = await Promise.all(files.map((file) => fetch(file)));
  if (!answers.every((answer) => answer.ok)) return;
  texts.value = Object.assign({}, wordsOf(next), ...(await Promise.all(answers.map((answer) => answer.json()))));
  locale.value = next;
  document.documentElement.lang = next === "en" ? "en" : "zh-Hant";
  document.cookie = `lc_locale=${next}; path=/; max-age=31536000; samesite=lax`;
}

const number = () => new Intl.NumberFormat(locale.value === "en" ? "en" : "zh-TW");
export const count = (value) => number().format(value ?? 0);

/** Minor units to text, with the decimals of `currencies.js`. */
export function money(minor, currency) {
  if (currency === "TWD") return `NT$${count(minor)}`;
  const digits = decimals(currency);
  const shown = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale.value === "en" ? "en" : "zh-TW", shown).format(minor / 10 ** digits);
}

const two = (value) => String(value).padStart(2, "0");
/** Milliseconds left as 09:42 (or 1:02:09); never below zero. */
export function clock(ms, hours = false) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`;
  return h || hours ? `${hours ? two(h) : h}:${rest}` : rest;
}
export function timeOfDay(ms, seconds = false) {
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ""}`;
}
export function day(ms) {
  return new Intl.DateTimeFormat(locale.value === "en" ? "en" : "zh-TW", { month: "short", day: "numeric", weekday: "short" }).format(ms);
}
/** A product's or label's name in the page's language. */
export const nameOf = (item) => (locale.value === "en" && item.name_en) || item.name || item.names?.[0] || item.code;

const GUEST = /^guest-([a-z0-9]{1,6})$/; // what the server calls a viewer who has not given a name
export const isGuest = (name) => !name || GUEST.test(name);
export const person = (name) => (name ? name.replace(GUEST, (_, mark) => `${t("common.guest")} ${mark}`) : t("common.guest"));

/** What to say for an error `{code, reason, retry_after_ms}`: our words by code (and why, or which field), else the server's reason. */
export function errorText(error) {
  const why = `error.${error?.code}.${error?.details?.why ?? error?.details?.field}`;
  const key = knows(why) ? why : `error.${error?.code}`;
  if (!knows(key)) return error?.reason || t("error.internal");
  const details = error.details?.sku ? { ...error.details, sku: nameOfSku(error.details.sku) } : error.details;
  const seconds = Math.ceil((error.retry_after_ms ?? 0) / 1000);
  return seconds > 0 && knows(`${key}.wait`) ? t(`${key}.wait`, { s: seconds }) : t(key, details);
}
