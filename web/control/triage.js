// Comments that wait for a person: the best guess first, one key to accept it. The loud thing of this page.
import { clock, knows, nameOf, person, t, timeOfDay } from "../shared/i18n.js";
import { isComplete, valuesOf } from "../shared/live.js";
import { command, live } from "../shared/staff.js";
import { html, now, signal, toast } from "../shared/ui.js";
import { OLD_MINUTES, active, answering, buyer, current, dialog, isOver, old, queue, showOld, side } from "./desk.js";

const SHOWN_MAX = 12; // more are behind the count; nobody decides thirteen at once
export const edits = signal({}); // comment -> {code, options, quantity, remember}
const busy = signal(null);

function asMap(item, options) {
  if (!Array.isArray(options)) return { ...options };
  const map = {};
  for (const value of options) {
    const axis = item?.options.find((option) => valuesOf(option).includes(value))?.axis;
    if (axis) map[axis] = value;
  }
  return map;
}

/** The lines as they would be accepted: the server's guess with what the moderator changed. */
export function linesFor(entry) {
  const edit = edits.value[entry.comment] ?? {};
  const guesses = (entry.guess ?? []).filter((one) => !one.do || one.do === "reserve");
  // No guess, no proposal: what was on screen is not what was asked for until somebody has chosen it.
  const base = guesses.length && entry.verdict !== "question" ? guesses : [{ code: null, options: [], qty: 1 }];
  return base.map((one, index) => {
    const code = (index === 0 && edit.code) || one.code;
    const item = code && live.item(code);
    const options = { ...(index === 0 && edit.code ? {} : asMap(item, one.options)), ...(index === 0 ? edit.options : {}) };
    return { code, item, options, quantity: (index === 0 && edit.quantity) || one.qty || one.quantity || 1 };
  });
}
const ready = (lines) => lines.length > 0 && lines.every((line) => line.item && isComplete(line.item, line.options));
const edit = (entry, change) => (edits.value = { ...edits.value, [entry.comment]: { ...edits.value[entry.comment], ...change } });

function forget(comment) {
  const { [comment]: ignored, ...rest } = edits.value;
  edits.value = rest;
}
/** The key: accepts the proposal that is shown; of a question it opens the answer, and never sells. */
export function decide(entry) {
  if (!entry) return;
  if (entry.verdict === "question") answer(entry);
  else if (isOver.value) toast(t("control.over_sells_nothing"));
  else if (!ready(linesFor(entry))) toast(t("control.choose_first"));
  else accept(entry);
}
export function answer(entry) {
  answering.value = entry;
  dialog.value = "answer";
}
export async function accept(entry) {
  const lines = entry && linesFor(entry);
  if (!entry || !ready(lines) || busy.value) return;
  busy.value = entry.comment;
  const remember = edits.value[entry.comment]?.remember?.trim();
  const wanted = lines.map(({ code, options, quantity }) => ({ code, options, quantity }));
  const done = await command("accept", { comment: entry.comment, lines: wanted, ...(remember && { remember }) }, t("control.accepted", { name: person(entry.name) }));
  busy.value = null;
  if (done?.remembered === false) toast(t("control.not_remembered", { word: remember }), { bad: true });
  if (done) forget(entry.comment);
}
export async function dismiss(entry) {
  if (entry && (await command("dismiss", { comment: entry.comment }, t("control.dismissed", { name: person(entry.name) })))) forget(entry.comment);
}
export function askBuyer(entry) {
  if (!entry) return;
  const [line] = linesFor(entry);
  const missing = line?.item?.options.filter((option) => !line.options[option.axis]).map((option) => option.axis) ?? [];
  const text = missing.length ? t("control.ask_options", { name: person(entry.name), item: nameOf(line.item), axes: missing.join(t("common.list_sign")) }) : t("control.ask_item_example", { name: person(entry.name) });
  command("say", { text }, t("control.asked"));
}
/** Digit keys choose among the values of the first missing axis. */
export function chooseByDigit(entry, digit) {
  const [line] = entry ? linesFor(entry) : [];
  const axis = line?.item?.options.find((option) => !line.options[option.axis]);
  const value = axis && valuesOf(axis)[digit - 1];
  if (value) edit(entry, { options: { ...edits.value[entry.comment]?.options, [axis.axis]: value } });
}

/** What of the text may be a new word for the product: without signs, codes and quantities. */
const wordOf = (text) => text.replace(/[a-z]+\d+/gi, "").replace(/[+＋xX×*]\s*\d+|[\d\s，。！？!?~～、.]/g, "").replace(/^(我要|要|買)|(我要|謝謝)$/g, "").slice(0, 20);

function Options({ entry, line }) {
  const missing = line.item.options.find((option) => !line.options[option.axis]);
  return line.item.options.map((option) => html`<div key=${option.axis} class="row wrap choices" role="group" aria-label=${option.axis}>
    <span class="muted">${option.axis}</span>
    ${valuesOf(option).map((value, index) => html`<button key=${value} class="pick" type="button" aria-pressed=${line.options[option.axis] === value}
      onClick=${() => edit(entry, { options: { ...edits.value[entry.comment]?.options, [option.axis]: value } })}>${value}${option === missing && index < 9 ? html` <kbd>${index + 1}</kbd>` : ""}</button>`)}</div>`);
}

function Guess({ lines }) {
  return html`<p class="guess">${t("control.guess")} ${lines.map((line, index) => {
    const missing = line.item?.options.filter((option) => !line.options[option.axis]).map((option) => option.axis) ?? [];
    return html`<span key=${index}>
      <b>${line.item ? `${line.code} ${nameOf(line.item)} ${Object.values(line.options).join(" ")} × ${line.quantity}` : t("control.guess_none")}</b>${missing.length ? t("control.guess_missing", { axes: missing.join(t("common.list_sign")) }) : ""} </span>`;
  })}</p>`;
}

function Open({ entry }) {
  const lines = linesFor(entry);
  const [line] = lines;
  const remember = edits.value[entry.comment]?.remember;
  const word = wordOf(entry.text);
  return html`
    ${(entry.verdict !== "question" || line.code) && html`<${Guess} lines=${lines} />`}
    <div class="row wrap fix"><label class="row"><span class="sr">${t("control.product")}</span>
      <select class="input small" value=${line.code ?? ""} onChange=${(event) => edit(entry, { code: event.currentTarget.value, options: {} })}>
        <option value="" disabled>${t("control.choose_product")}</option>${live.items.value.map((item) => html`<option key=${item.code} value=${item.code}>${item.code} ${nameOf(item)}</option>`)}</select>
          </label>
      <label class="row"><span class="muted">×</span>
        <input class="input small quantity" type="number" inputmode="numeric" min="1" max="99" value=${line.quantity}
          aria-label=${t("control.quantity")}
          onInput=${(event) => edit(entry, { quantity: Math.min(99, Math.max(1, Math.trunc(Number(event.currentTarget.value)) || 1)) })} />
        </label></div>
    ${line.item && html`<${Options} entry=${entry} line=${line} />`}
    ${word.length > 1 && line.item && html`<div class="row remember"><label class="row">
      <input type="checkbox" checked=${remember !== undefined} onChange=${(event) => edit(entry, { remember: event.currentTarget.checked ? word : undefined })} />
      <span>${t("control.remember", { item: nameOf(line.item) })}</span></label>
      ${remember !== undefined && html`<input class="input small grow" maxlength="40" value=${remember} aria-label=${t("control.remember_word")}
        onInput=${(event) => edit(entry, { remember: event.currentTarget.value })} />`}</div>`}
    <div class="row wrap">
      ${entry.verdict === "question" && html`<button class="btn small accept" type="button" onClick=${() => answer(entry)}>${t("control.answer")} <kbd>A</kbd></button>`}
      ${(entry.verdict !== "question" || ready(lines)) && html`<button class="btn small accept" type="button" disabled=${isOver.value || !ready(lines) || busy.value === entry.comment}
        onClick=${() => accept(entry)}>${t("control.accept")}${entry.verdict !== "question" && html` <kbd>A</kbd>`}
      </button>`}
      <button class="btn small line" type="button" onClick=${() => askBuyer(entry)}>${t("control.ask")} <kbd>Q</kbd></button>
      <button class="btn small line" type="button" onClick=${() => dismiss(entry)}>${t("control.dismiss")} <kbd>X</kbd></button></div>`;
}

function Card({ entry, open }) {
  const choose = () => {
    active.value = entry.comment;
    buyer.value = entry.viewer;
    side.value = "buyer";
  };
  const onScreen = typeof entry.pin === "string" ? entry.pin : entry.pin?.code;
  return html`<li class=${`card ${open ? "open" : ""}`}>
    <button class="face" type="button" aria-expanded=${open} onClick=${choose}>
      <span class="muted"><bdi>${person(entry.name)}</bdi> · ${timeOfDay(entry.at, true)}${onScreen && live.item(onScreen) ? ` · ${t("control.on_screen", { code: onScreen })}` : ""}${knows(`reason.${entry.reason}`) ? ` · ${t(`reason.${entry.reason}`)}` : ""}</span>
      ${entry.refused && html`<span class="tag warn">${knows(`error.not_sold.${entry.refused}`) ? t(`error.not_sold.${entry.refused}`) : t("error.not_sold")}</span>`}
      <h3 dir="auto">${entry.text}</h3></button>
    ${open ? html`<${Open} entry=${entry} />` : entry.verdict !== "question" && html`<${Guess} lines=${linesFor(entry)} />`}
  </li>`;
}

export function Triage() {
  const list = queue.value;
  const oldest = list.reduce((first, entry) => (first && first.at <= entry.at ? first : entry), null);
  return html`<section class="triage" aria-label=${t("control.triage")}>
    <div class="row head"><h2>${t("control.triage")}</h2><span class="grow">
      </span>${oldest && html`<span class="muted">${t("control.triage_count", { n: list.length })} · ${t("control.triage_oldest", { time: clock(now.value - oldest.at) })}</span>`}</div>
    <ul class="cards">${list.slice(0, SHOWN_MAX).map((entry) => html`<${Card} key=${entry.comment} entry=${entry} open=${current.value?.comment === entry.comment} />`)}</ul>
    ${isOver.value && list.length > 0 && html`<p class="muted left-over">${t("control.left_over", { n: list.length })}</p>`}
    ${list.length === 0 && old.value.length === 0 && html`<p class="empty">${t("control.triage_empty")}</p>`}
    ${old.value.length > 0 && html`<button class="link muted old" type="button" aria-expanded=${showOld.value}
      onClick=${() => (showOld.value = !showOld.value)}>${t(showOld.value ? "control.old_fold" : "control.old", { n: old.value.length, m: OLD_MINUTES })}</button>`}
    ${list.length > SHOWN_MAX && html`<p class="muted">${t("control.more", { n: list.length - SHOWN_MAX })}</p>`}
  </section>`;
}
