// The replay: the recording with its chat, and its products as chapters, all on the recording's own time.
import { render } from "preact";
import { boot, clock, errorText, isGuest, money, nameOf, person, t } from "../shared/i18n.js";
import { Drawn } from "../shared/drawn.js";
import { kindPage } from "../shared/kind_page.js";
import { partsOf } from "../shared/kinds.js";
import { Picture } from "../shared/picture.js";
import { LanguageSwitch, computed, effect, html, signal, useEffect, useLayoutEffect, useRef } from "../shared/ui.js";
import { linesUntil, chapterAt, isWithin } from "./timeline.js";

const LINES_SHOWN = 80; // as many as a tall panel holds, with some to scroll back
const LEAD_MS = 1500; // a chapter begins a breath before the product was pinned

const video = document.getElementById("video");
const replay = signal(null); // {origin_ms, duration_ms, products, chapters, chat, notices, moments, sound_alone}
const fault = signal(null);
const at = signal(0); // milliseconds of the recording

video.addEventListener("timeupdate", () => (at.value = video.currentTime * 1000));
video.addEventListener("seeking", () => (at.value = video.currentTime * 1000));

async function load() {
  fault.value = null;
  try {
    const answer = await fetch(boot.urls.events);
    const body = await answer.json();
    if (answer.ok) replay.value = body;
    else fault.value = body.error;
  } catch {
    fault.value = { code: "no_answer" };
  }
}

const products = computed(() => new Map((replay.value?.products ?? []).map((item) => [item.code, item])));
const current = computed(() => (replay.value ? chapterAt(replay.value.chapters, at.value) : -1));
// The sound may last some tenths of a second longer than the last picture.
const soundAlone = computed(() => isWithin(replay.value?.sound_alone ?? [], Math.min(at.value, replay.value?.duration_ms ?? 0)));
const lines = computed(() => (replay.value ? linesUntil(replay.value.chat, at.value, LINES_SHOWN) : []));

/** Plays from where a chapter begins. */
function jump(chapter) {
  video.currentTime = Math.max(0, chapter.at - LEAD_MS) / 1000;
  video.play().catch(() => {}); // the browser wants a tap on the picture first
}

function Chapter({ chapter, on, index }) {
  const item = products.value.get(chapter.code);
  const name = item ? nameOf(item) : chapter.code;
  const button = useRef(null);
  useEffect(() => {
    if (on) button.current.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" });
  }, [on]);
  return html`<li><button ref=${button} class=${`chapter ${on ? "on" : ""}`} type="button" data-at=${chapter.at} aria-current=${on ? "true" : null}
    aria-label=${t("replay.jump", { item: name, time: clock(chapter.at) })} onClick=${() => jump(chapter)}>
    <${Picture} src=${item?.picture} code=${chapter.code} size=${64} lazy=${index >= 8} />
    <span class="grow"><span class="row"><span class="code">${chapter.code}</span><b class="cut">${name}</b></span>
      <span class="row"><time>${clock(chapter.at)}</time>${item && html`<span class="muted">${money(item.price_minor, item.currency)}</span>`}</span></span>
  </button></li>`;
}

const parts = partsOf("replay", kindPage);

/** What kinds have kept of the show: moments to jump to. */
function Moments({ part }) {
  const moments = (replay.value.moments ?? []).filter((one) => one.kind === part.name);
  return moments.length > 0 && html`<h2>${part.title}</h2><${part.View} moments=${moments} jump=${jump} />`;
}

function Chapters() {
  const { chapters } = replay.value;
  return html`<section class="chapters" aria-labelledby="chapters"><h2 id="chapters">${t("replay.products")}</h2>
    ${chapters.length === 0 && html`<p class="muted">${t("replay.no_products")}</p>`}
    <ol>${chapters.map((chapter, index) => html`<${Chapter} key=${chapter.at} chapter=${chapter} index=${index} on=${index === current.value} />`)}</ol>
    ${parts.map((part) => html`<${Moments} key=${part.name} part=${part} />`)}
  </section>`;
}

function Chat() {
  const box = useRef(null);
  const shown = lines.value;
  useLayoutEffect(() => {
    box.current.scrollTop = box.current.scrollHeight;
  }, [shown.at(-1)]);
  return html`<section class="chat" aria-labelledby="chat"><h2 id="chat">${t("common.chat")}</h2>
    <ol ref=${box} class="lines" role="log" aria-live="off" tabindex="0">
      ${shown.map((line, index) => html`<li key=${`${line.at}-${index}`} class=${`line ${line.kind}`}><b><bdi>${isGuest(line.name) ? person(line.name) : line.name}</bdi></b> <bdi>${line.text}</bdi></li>`)}
    </ol>
    ${shown.length === 0 && html`<p class="muted">${t("replay.quiet")}</p>`}
  </section>`;
}

function App() {
  if (fault.value) return html`<p class="banner" role="alert">${errorText(fault.value)} <button class="btn small line" type="button" onClick=${load}>${t("common.retry")}</button></p>`;
  if (!replay.value) return html`<p class="muted" role="status">${t("replay.loading")}</p>`;
  return html`<${Chapters} /><${Chat} /><footer><${LanguageSwitch} /></footer>`;
}

const place = document.getElementById("drawn");
effect(() => render(soundAlone.value && html`<${Drawn} ...${place.dataset} />`, place));
// A finger's button to play stands in the middle of the picture.
for (const name of ["play", "pause"]) video.addEventListener(name, () => document.body.classList.toggle("stands", video.paused));
document.body.classList.toggle("stands", video.paused);

const app = document.getElementById("app");
app.replaceChildren();
render(html`<${App} />`, app);
load();
