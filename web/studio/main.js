// The studio: products, the host's picture, the numbers and the chat, on one ink page.
import { here, sitePath } from "../shared/api.js";
import { render } from "preact";
import { boot, clock, count, errorText, money as moneyText, t } from "../shared/i18n.js";
import { live, mayHost, showId } from "../shared/staff.js";
import { LanguageSwitch, Toasts, html, isTyping, now } from "../shared/ui.js";
import { Chat } from "./chat.js";
import { claimedOf, dialog, expanded, money, move, onAir, pin, pinnedCode, selected, tab, unpin } from "./desk.js";
import { AddSheet, Products } from "./products.js";
import { EndSheet, LiveSheet, Stage, delaySeconds, signalWords } from "./stage.js";
import { ShareButton, Tools } from "./tools.js";

function Elapsed() {
  return html`<time role="timer" aria-live="off">${clock(now.value - live.show.value.started_ms, true)}</time>`;
}

function Header() {
  const show = live.show.value;
  const words = signalWords.value;
  return html`<header class="bar-top">
    <h1 class="cut"><a href=${sitePath("/studio")}>${show.shop_name}</a><span> · ${show.title}</span></h1>
    ${onAir.value ? html`<span class="chip on"><i class="dot"></i>${t("common.live")} <${Elapsed} />
      </span>` : html`<span class="chip">${t(`common.stage_${show.stage}`)}</span>`}
    ${show.stage !== "ended" && html`<span class=${`chip signal ${words.kind}`} title=${words.text}>${words.text}${words.layers && html`<span class="wide" title=${t("studio.layers")}> · ${words.layers}</span>`}</span>`}
    ${delaySeconds.value !== null && html`<span class="muted nowrap wide">${t("studio.delay", { s: Math.max(0.1, delaySeconds.value).toFixed(1) })}</span>`}
    ${["lost", "blocked"].includes(live.link.value) && html`<span class="chip warn" role="status" title=${live.link.value === "blocked" ? t("common.line_blocked") : null}>${t(live.link.value === "blocked" ? "common.line_blocked_short" : "common.line_lost")}</span>`}
    <span class="grow"></span>
    <span class="wide"><${LanguageSwitch} /></span>
    <a class="btn small line wide" href=${sitePath(`/control/${showId}`)}>${t("common.control")}</a>
    <span class="wide"><${ShareButton} url=${boot.urls.watch} /></span>
    ${onAir.value && mayHost() && html`<button class="btn small line end" type="button" onClick=${() => (dialog.value = "end")}>${t("studio.end")}</button>`}
  </header>`;
}

function Tiles() {
  const item = pinnedCode.value && live.item(pinnedCode.value);
  const currency = live.show.value.currency;
  const tiles = [
    ["viewers", count(live.viewers.value)],
    ["claims", item ? count(claimedOf(item)) : "–"],
    ["held", moneyText(money.value.held, currency)],
    ["paid", moneyText(money.value.paid, currency)],
  ];
  return html`<dl class="tiles">${tiles.map(([name, value]) => html`<div key=${name} class=${name}><dt>${t(`studio.tile_${name}`)}</dt>
    <dd class=${value.length > 10 ? "long" : ""} title=${value}>${value}</dd></div>`)}</dl>`;
}

function Page() {
  const bye = live.goodbye.value;
  if (bye && !bye.reconnect) return html`<div class="loading" role="alert"><p>${errorText(bye)}</p>
    <a class="btn small line" href=${bye.code === "login_needed" ? sitePath(`/login?next=${here()}`) : location.pathname}>${t(bye.code === "login_needed" ? "common.login_again" : "common.reload")}</a>
    </div>`;
  if (!live.state.value) return html`<p class="loading" role="status">${t(live.link.value === "blocked" ? "common.line_blocked" : "common.connecting")}</p>`;
  return html`<${Header} />
    <main class=${`columns show-${tab.value}`}>
      <${Products} />
      <div class="middle"><${Stage} /><${Tiles} /><div class="row narrow">
        <a class="btn small line grow" href=${sitePath(`/control/${showId}`)}>${t("common.control")}</a><${ShareButton} url=${boot.urls.watch} />
        <${LanguageSwitch} /></div><${Tools} /></div>
      <${Chat} />
    </main>
    <nav class="tabbar"
      aria-label=${t("studio.tabs")}>${["products", "stage", "chat"].map((name) => html`<button key=${name} type="button" aria-pressed=${tab.value === name}
      onClick=${() => (tab.value = name)}>${t(`studio.tab_${name}`)}</button>`)}</nav>
    ${dialog.value === "add" && html`<${AddSheet} />`}
    ${dialog.value === "live" && html`<${LiveSheet} />`}
    ${dialog.value === "end" && html`<${EndSheet} summary=${html`<${Tiles} />`} />`}
    <${Toasts} />`;
}

document.addEventListener("keydown", (event) => {
  if (isTyping(event) || !live.state.value) return;
  const onButton = event.target.tagName === "BUTTON" || event.target.tagName === "A";
  if (live.show.value.stage === "ended") return;
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(-1);
  else if (event.key === "Enter" && selected.value && (!onButton || event.target.classList.contains("face"))) pin(selected.value);
  else if (event.key === "Escape" && expanded.value) expanded.value = null;
  else if (event.key === "Escape" && pinnedCode.value) unpin();
  else return;
  event.preventDefault();
});

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
