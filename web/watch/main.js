// The watch page: the picture fills it, everything a thumb needs is in the lower third.
import { render } from "preact";
import { count, errorText, t } from "../shared/i18n.js";
import { kindPage } from "../shared/kind_page.js";
import { partsOf } from "../shared/kinds.js";
import { Countdown, Icon, LanguageSwitch, Sheet, Toasts, effect, html, newId, signal, useLayoutEffect, useRef } from "../shared/ui.js";
import { PinnedCard, pinned } from "./card.js";
import { Chat, Composer, sendDraft } from "./chat.js";
import { SoundButton, delaySeconds, phase, playVideo } from "./player.js";
import { live, myName, ribbon, sheet } from "./room.js";
import { myTickets, openTickets } from "./tickets.js";

/** A viewer's command of a kind; the answer as `live.send` gives it. */
const act = (name, fields = {}) => live.send("command", { id: newId(), do: name, ...fields });
// What is not needed at the beginning is loaded when it is; where the line fails then, the next change tries again.
const later = (part, wanted, load) => effect(() => void (wanted() && !part.peek() && load().then((found) => (part.value = found), () => {})));
const offer = signal(null); // only who waits in line is ever made one: its ring and ribbon come with the first ticket
later(offer, () => myTickets().length, async () => (await import("./offer.js")).Offer);
const tickets = signal(null);
later(tickets, () => myTickets().length || sheet.value === "tickets", async () => (await import("./ticket_sheet.js")).TicketSheet);
const products = signal(null);
later(products, () => sheet.value === "products", async () => (await import("./product_sheet.js")).ProductSheet);
const curtain = signal(null);
const noShow = () => phase.value === "waiting" || phase.value === "ended";
later(curtain, () => live.show.value && noShow(), async () => (await import("./curtain.js")).Curtain);
const answers = signal(null);
later(answers, () => live.link.value === "open" || ribbon.value, async () => (await import("./answer.js")).Ribbon);
const naming = signal(null);
later(naming, () => !myName() || sheet.value === "name", async () => (await import("./name_sheet.js")).NameSheet);
const page = { ...kindPage, live, act };
const parts = partsOf("watch", page);
const banners = partsOf("banner", page);

function Top() {
  const show = live.show.value;
  const onAir = show.stage === "live";
  return html`<header class="top">
    ${onAir && html`<span class="chip"><i class="dot"></i>${t("common.live")}</span>`}
    <h1 class="cut">${show.shop_name}<span class="title"> · ${show.title}</span></h1>
    <span class="grow"></span>
    <span class="chip" title=${t("watch.viewers")}><span class="sr">${t("watch.viewers")}</span>
      <${Icon} name="people" />${count(live.viewers.value)}</span>
    ${onAir && phase.value === "playing" && delaySeconds.value !== null && html`<span class="chip"
      title=${t("watch.delay_hint")}>${t("watch.delay", { s: Math.max(0.1, delaySeconds.value).toFixed(1) })}</span>`}
  </header>`;
}

function Message() {
  const now = phase.value;
  if (now === "playing" || now === "banned") return null; // a banned viewer's card stands where the composer was
  if (now === "blocked") return html`<div class="center"><button class="btn" type="button" onClick=${playVideo}>${t("watch.blocked")}</button></div>`;
  return html`<div class="center"><p class="chip" role="status">${t(`watch.${now}`)}</p></div>`;
}

/** Whether this browser keeps a cookie of ours; without one the next visit is a stranger's. */
const cookies = (() => {
  try {
    document.cookie = "lc_try=1; path=/; samesite=lax";
    const kept = /(^|; )lc_try=1/.test(document.cookie);
    document.cookie = "lc_try=; path=/; max-age=0; samesite=lax";
    return kept;
  } catch {
    return false; // a frame without storage
  }
})();

function Line() {
  const bye = live.goodbye.value;
  if (bye && !bye.reconnect) return html`<p class="banner" role="alert">${errorText(bye)}</p>`;
  if (live.link.value === "blocked") return html`<p class="banner" role="alert">${t("common.line_blocked")}</p>`;
  if (live.link.value === "lost") return html`<p class="banner" role="status">${t("watch.line_lost")}</p>`;
  if (live.link.value === "stalled") return html`<p class="banner" role="status">${t("watch.line_stalled")}</p>`;
  if (!cookies) return html`<p class="banner" role="alert">${t("watch.no_cookies")}</p>`;
  return banners.map((part) => html`<${part.View} key=${part.name} />`);
}

function Rail() {
  const tickets = openTickets();
  const soonest = tickets.filter((ticket) => ticket.state === "held" || ticket.state === "offered").reduce((least, ticket) => Math.min(least, ticket.deadline_ms), Infinity);
  return html`<nav class="rail" aria-label=${t("watch.rail")}>
    <button class="round" type="button" onClick=${() => (sheet.value = "products")}><${Icon} name="bag" /><span>${t("watch.products")}</span></button>
    <button class=${`round ${tickets.length ? "has" : ""}`} type="button" onClick=${() => (sheet.value = "tickets")}><${Icon} name="ticket" />
      ${tickets.length > 0 && html`<b class="badge">${tickets.length}</b>`}<span>${Number.isFinite(soonest) ? html`<${Countdown} until=${soonest} />` : t("watch.tickets")}</span>
        </button>
    ${parts.map((part) => html`<button key=${part.name} class="round" type="button" onClick=${() => (sheet.value = part.name)}>
      <${Icon} path=${part.icon} />${part.badge > 0 && html`<b class="badge">${part.badge}</b>`}<span>${part.label ?? part.title}</span></button>`)}
  </nav>`;
}

/** The last answer and the pinned product. Where both are more than the screen they scroll, from the answer on. */
function Goods() {
  const box = useRef(null);
  useLayoutEffect(() => {
    if (ribbon.value && box.current) box.current.scrollTop = 0;
  }, [ribbon.value]);
  if (!ribbon.value && !pinned()) return null;
  return html`<div ref=${box} class="goods">${answers.value && html`<${answers.value} />`}<${PinnedCard} /></div>`;
}

function Page() {
  if (!live.state.value) return html`<div class="center"><p class="chip" role="status">${t("watch.connecting")}</p></div>`;
  const apart = noShow();
  return html`<div class="head"><${Top} />
      <div class="mid row">${live.show.value.stage === "live" && html`<${SoundButton} />`}<span class="grow"></span><${LanguageSwitch} /></div>
      <${Line} />
      ${offer.value && sheet.value !== "products" && html`<${offer.value} />`}
      ${!apart && html`<${Message} />`}</div>
    ${apart && curtain.value && html`<${curtain.value} />`}
    <div class="bottom">
      <div class="over"><div class="beside"><${Chat} /><${Rail} /></div></div>
      <${Goods} />
      <${Composer} />
    </div>
    ${sheet.value === "tickets" && tickets.value && html`<${tickets.value} />`}
    ${sheet.value === "products" && products.value && html`<${products.value} offer=${offer.value} />`}
    ${sheet.value === "name" && naming.value && html`<${naming.value} onNamed=${sendDraft} />`}
    ${parts.map((part) => sheet.value === part.name && html`<${Sheet} key=${part.name} title=${part.title} onClose=${() => (sheet.value = null)}><${part.View} /><//>`)}
    <${Toasts} />`;
}

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${Page} />`, app);
