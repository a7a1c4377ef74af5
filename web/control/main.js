// The control panel: chat, what waits for a person, and the buyer; on paper, under the keys.
import { here, sitePath } from "../shared/api.js";
import { render } from "preact";
import { clock, errorText, person, t } from "../shared/i18n.js";
import { kindPage } from "../shared/kind_page.js";
import { partsOf } from "../shared/kinds.js";
import { command, live, showId, undoLast } from "../shared/staff.js";
import { LanguageSwitch, Sheet, Toasts, html, isTyping, now, signal, useState } from "../shared/ui.js";
import { Side, deedOf } from "./buyer.js";
import { Chat } from "./chat.js";
import { answering, ban, current, dialog, mark, marked, moveLine, mute, queue, tab, toggleHide } from "./desk.js";
import { Triage, askBuyer, chooseByDigit, decide, dismiss } from "./triage.js";

const sheets = partsOf("sheet", { ...kindPage, live, command });
const SLOW = [0, 3, 5, 10, 30, 60];
const RATE_SECONDS = 10;
const arrivals = signal([]);
const verdicts = { read: 0, asked: 0 };
live.listen((events) => {
  const chats = events.filter((event) => event.t === "chat" && event.kind === "viewer");
  if (!chats.length) return;
  for (const event of chats) {
    if (["order", "change"].includes(event.verdict)) verdicts.read += 1;
    if (event.verdict === "unclear") verdicts.asked += 1;
  }
  const since = Date.now() - RATE_SECONDS * 1000;
  arrivals.value = [...arrivals.value.filter((at) => at > since), ...chats.map(() => Date.now())].slice(-2000);
});

/** Comments a second and the share of order-like comments that were understood without a person. */
function Pulse() {
  const since = Date.now() - RATE_SECONDS * 1000;
  const rate = now.value && arrivals.value.filter((at) => at > since).length / RATE_SECONDS;
  const total = verdicts.read + verdicts.asked;
  return html`<span class="muted nowrap wide">${t("control.rate", { s: rate.toFixed(1) })}${total >= 5 ? ` · ${t("control.understood", { p: ((100 * verdicts.read) / total).toFixed(0) })}` : ""}</span>`;
}

function Slow() {
  const set = live.settings.value?.slow_seconds ?? 0;
  return html`<label class="slow"><span class="sr">${t("control.slow")}</span>
    <select class="input small" value=${set}
      onChange=${(event) => command("settings", { slow_seconds: Number(event.currentTarget.value) }, t("control.settings_done"))}>
    ${[...new Set([...SLOW, set])].sort((a, b) => a - b).map((seconds) => html`<option key=${seconds} value=${seconds}>${seconds ? t("control.slow_n", { n: seconds }) : t("control.slow_off")}</option>`)}</select>
      </label>`;
}

function Header() {
  const show = live.show.value;
  return html`<header class="bar-top">
    <h1 class="cut"><a href=${sitePath("/studio")}>${t("control.title")}</a><span class="wide"> · ${show.title}</span></h1>
    ${show.stage === "live" ? html`<span class="chip on"><i class="dot"></i>
      <time role="timer" aria-live="off">${clock(now.value - show.started_ms, true)}</time>
      </span>` : html`<span class="chip">${t(`common.stage_${show.stage}`)}</span>`}
    <${Pulse} />
    ${["lost", "blocked"].includes(live.link.value) && html`<span class="tag warn" role="status" title=${live.link.value === "blocked" ? t("common.line_blocked") : null}>${t(live.link.value === "blocked" ? "common.line_blocked_short" : "common.line_lost")}</span>`}
    <span class="grow"></span>
    <span class="wide"><${LanguageSwitch} /></span>
    <a class="btn small line wide" href=${sitePath(`/studio/${showId}`)}>${t("common.studio")}</a>
    <span class="wide"><${Slow} /></span>
    ${sheets.map((part) => html`<button key=${part.name} class=${`btn small ${part.on ? "dark" : "line"}`} type="button" onClick=${() => (dialog.value = part.name)}>${part.title}</button>`)}
    <button class="btn small line" type="button" onClick=${() => (dialog.value = "rules")}>${t("control.rules")}</button>
    <button class="btn small line wide" type="button" aria-label=${t("control.help")} onClick=${() => (dialog.value = "help")}><kbd>?</kbd></button>
  </header>`;
}

const close = () => (dialog.value = null);

function RulesSheet() {
  const [word, setWord] = useState("");
  const settings = live.settings.value ?? {};
  const words = live.part("words").value ?? [];
  const set = (name) => (event) => command("settings", { [name]: event.currentTarget.checked }, t("control.settings_done"));
  const add = async (event) => {
    event.preventDefault();
    const list = word.split(/[\s,，、]+/).filter(Boolean);
    if (list.length && (await command("words", { add: list }, t("control.words_done")))) setWord("");
  };
  return html`<${Sheet} title=${t("control.rules")} onClose=${close}><div class="stack">
    <div class="row"><b class="grow">${t("control.slow")}</b><${Slow} /></div>
    ${["proof_of_work", "links_off", "first_hold", "waitlist"].filter((name) => settings[name] !== undefined).map((name) => html`<label key=${name} class="row rule">
      <input type="checkbox" checked=${!!settings[name]} onChange=${set(name)} /><span><b>${t(`control.rule_${name}`)}</b>
      <span class="muted">${t(`control.rule_${name}_hint`)}</span></span></label>`)}
    <h3>${t("control.words")}</h3><p class="muted">${t("control.words_hint")}</p>
    <form class="row" onSubmit=${add}>
      <input class="input small grow" value=${word} maxlength="400" aria-label=${t("control.word_add")} placeholder=${t("control.word_add")}
        onInput=${(event) => setWord(event.currentTarget.value)} />
      <button class="btn small dark" type="submit">${t("control.add")}</button></form>
    <ul class="row wrap">${words.map((one) => html`<li key=${one}>
      <button class="pick" type="button" aria-label=${t("control.word_remove", { word: one })}
        onClick=${() => command("words", { remove: [one] }, t("control.words_done"))}>${one} ×</button>
      </li>`)}${words.length === 0 && html`<li class="muted">${t("control.words_none")}</li>`}</ul></div><//>`;
}

function AnswerSheet() {
  const entry = answering.value;
  const [text, setText] = useState(`@${person(entry.name)} `);
  const send = async (event) => {
    event.preventDefault();
    if (!(await command("say", { text: text.trim() }))) return;
    await command("dismiss", { comment: entry.comment });
    close();
  };
  return html`<${Sheet} title=${t("control.answer")} onClose=${close}><form class="stack" onSubmit=${send}>
    <p><b>${person(entry.name)}</b> ${entry.text}</p>
    <label class="field"><span>${t("control.answer_label")}</span>
      <textarea class="input" rows="3" maxlength="300" value=${text} autofocus onInput=${(event) => setText(event.currentTarget.value)}></textarea></label>
    <button class="btn dark" type="submit" disabled=${!text.trim()}>${t("control.answer_send")}</button></form><//>`;
}

const KEYS = [["J", "move_down"], ["K", "move_up"], ["H", "hide"], ["M", "mute"], ["B", "ban"], ["Z", "undo"], ["A", "accept"], ["1–9", "digit"], ["Q", "ask"], ["X", "dismiss"], ["/", "search"], ["Esc", "follow"], ["?", "help"]];
const HelpSheet = () => html`<${Sheet} title=${t("control.help")} onClose=${close}><dl class="help">${KEYS.map(([key, name]) => html`<div key=${key}>
  <dt><kbd>${key}</kbd></dt><dd>${t(`control.key_${name}`)}</dd></div>`)}${sheets.filter((part) => part.key).map((part) => html`<div key=${part.name}>
  <dt><kbd>${part.key.toUpperCase()}</kbd></dt><dd>${part.help}</dd></div>`)}</dl><//>`;

function Page() {
  const bye = live.goodbye.value;
  if (bye && !bye.reconnect) return html`<div class="loading" role="alert"><p>${errorText(bye)}</p>
    <a class="btn small line" href=${bye.code === "login_needed" ? sitePath(`/login?next=${here()}`) : location.pathname}>${t(bye.code === "login_needed" ? "common.login_again" : "common.reload")}</a>
    </div>`;
  if (!live.state.value) return html`<p class="loading" role="status">${t(live.link.value === "blocked" ? "common.line_blocked" : "common.connecting")}</p>`;
  const waiting = queue.value.length;
  return html`<${Header} />
    <main class=${`columns show-${tab.value}`}><${Chat} /><${Triage} /><${Side} /></main>
    <nav class="tabbar"
      aria-label=${t("control.tabs")}>${["chat", "triage", "side"].map((name) => html`<button key=${name} type="button" aria-pressed=${tab.value === name}
      onClick=${() => (tab.value = name)}>${t(`control.tab_${name}`)}${name === "triage" && waiting ? html` <b class="count">${waiting}</b>` : ""}</button>`)}</nav>
    ${sheets.map((part) => dialog.value === part.name && html`<${Sheet} key=${part.name} title=${part.title} onClose=${close}><${part.View} close=${close} /><//>`)}
    ${dialog.value === "rules" && html`<${RulesSheet} />`}
    ${dialog.value === "answer" && answering.value && html`<${AnswerSheet} key=${answering.value.comment} />`}
    ${dialog.value === "help" && html`<${HelpSheet} />`}
    <${Toasts} />`;
}

const DO = {
  j: () => moveLine(1),
  k: () => moveLine(-1),
  h: () => toggleHide(marked()),
  m: () => marked() && mute(marked().viewer, marked().name),
  b: () => marked() && ban(marked().viewer, marked().name),
  z: () => undoLast(deedOf),
  a: () => decide(current.value),
  q: () => askBuyer(current.value),
  x: () => dismiss(current.value),
  "?": () => (dialog.value = "help"),
  escape: () => mark(null),
};
for (const part of sheets) if (part.key && !DO[part.key]) DO[part.key] = () => (dialog.value = part.name);
document.addEventListener("keydown", (event) => {
  if (isTyping(event) || !live.state.value) return;
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key)) chooseByDigit(current.value, Number(key));
  else if (key === "/") document.querySelector("[type=search]")?.focus();
  else if (DO[key]) DO[key]();
  else return;
  event.preventDefault();
});

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
