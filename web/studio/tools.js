// Below the picture: the show's course, the viewers' lines, another encoder (OBS), a comment tried on the parser, the show's comments read again.
import { errorText, t, timeOfDay } from "../shared/i18n.js";
import { call } from "../shared/api.js";
import { kindPage } from "../shared/kind_page.js";
import { partsOf } from "../shared/kinds.js";
import { ask, command, copy, live, mayHost, showId } from "../shared/staff.js";
import { Icon, html, now, signal, useState } from "../shared/ui.js";
import { SAMPLES_MAX, SAMPLE_SECONDS, samples } from "./desk.js";
import { Lines } from "./lines.js";
import { Reading } from "./reading.js";
import { Reread } from "./reread.js";

const open = signal("course");
const MINUTES = (SAMPLES_MAX * SAMPLE_SECONDS) / 60;
const WIDTH = 720;
const HEIGHT = 150;
const TOP = 22;
const BARS = 40;

/** Viewers as a line, claims as forty bars, the pinned product's code where it changed: the last 20 minutes. */
function Course() {
  const end = Math.ceil(now.value / 5000) * 5000; // moves every five seconds, so the curve is not redrawn each second
  const start = Math.max(end - MINUTES * 60_000, Math.min(live.show.value.started_ms || end, end - 180_000)); // a young show fills the width too
  const x = (at) => ((at - start) / (end - start)) * WIDTH;
  const points = samples.value.filter((one) => one.at >= start);
  const most = Math.max(10, ...points.map((one) => one.viewers)) * 1.1;
  const y = (viewers) => HEIGHT - 16 - (viewers / most) * (HEIGHT - TOP - 16);
  const barMs = (end - start) / BARS;
  const buckets = new Map();
  for (const ticket of live.part("reservations").value ?? []) {
    if (ticket.at_ms < start) continue;
    const bucket = start + Math.floor((ticket.at_ms - start) / barMs) * barMs;
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + ticket.quantity + ticket.waiting);
  }
  const tallest = Math.max(4, ...buckets.values());
  const pins = (live.part("audit").value ?? []).filter((one) => one.do === "pin" && one.at >= start && !one.undone);
  const line = points.map((one, index) => `${index ? "L" : "M"}${x(one.at).toFixed(1)} ${y(one.viewers).toFixed(1)}`).join("");
  return html`<figure class="course">
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${t("studio.course_label", { n: live.viewers.value })} preserveAspectRatio="none">
      ${[0, 0.5, 1].map((share) => html`<path class="grid" d=${`M0 ${y((most / 1.1) * share)}H${WIDTH}`} />`)}
      ${[...buckets].map(([at, pieces]) => html`<rect class="claims" x=${x(at) + 3} y=${HEIGHT - 16 - (pieces / tallest) * (HEIGHT - TOP - 40)} width=${WIDTH / BARS - 6} height=${(pieces / tallest) * (HEIGHT - TOP - 40)} rx="1.5" />`)}
      ${pins.map((one) => html`<path class="mark" d=${`M${x(one.at)} ${TOP - 4}V${HEIGHT - 16}`} />`)}
      ${line && html`<path class="viewers" d=${line} />`}
    </svg>
    ${pins.slice(-8).map((one) => html`<span class="at" style=${{ left: `${((one.at - start) / (end - start)) * 100}%` }}>${one.about?.code}</span>`)}
    <figcaption class="row"><span>${timeOfDay(start)}</span><span class="grow"></span><span class="key line">${t("studio.viewers")}</span>
      <span class="key bars">${t("studio.claims_key")}</span><span class="grow"></span><span>${timeOfDay(end)}</span></figcaption></figure>`;
}

function Secret({ label, value }) {
  return html`<div class="field"><span>${label}</span><div class="row">
    <input class="input small grow" readonly value=${value} aria-label=${label} onFocus=${(event) => event.currentTarget.select()} />
    <button class="btn small line" type="button" onClick=${() => copy(value)}>${t("studio.copy")}</button></div></div>`;
}
const OF_A_SHOW_TO_COME = ["lines", "obs", "notice"]; // tools that do nothing once the show is over

function Encoder() {
  const [made, setMade] = useState(null);
  const [error, setError] = useState(null);
  const make = async () => {
    const answer = await call("POST", `/api/shows/${showId}/ingest-token`, {});
    setError(answer.ok ? null : answer.error);
    if (answer.ok) setMade(answer);
  };
  return html`<div class="tool"><p class="muted">${t("studio.obs_how")}</p>
    ${made ? html`<${Secret} label=${t("studio.obs_url")} value=${made.url} /><${Secret} label=${t("studio.obs_token")} value=${made.token} />
      <p class="muted">${t("studio.obs_once")}</p>` : html`<button class="btn small line" type="button" disabled=${!mayHost()}
        onClick=${make}>${t("studio.obs_make")}</button>`}
    ${error && html`<p class="bad" role="alert">${errorText(error)}</p>`}</div>`;
}

function Simulator() {
  const [text, setText] = useState("");
  const [read, setRead] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    if (text.trim()) setRead(await ask("simulate", { text, pin: live.pin.value?.pin }));
  };
  return html`<div class="tool"><form class="row" onSubmit=${submit}>
    <input class="input small grow" value=${text} maxlength="200" placeholder=${t("studio.simulate_example")} aria-label=${t("studio.simulate")}
      onInput=${(event) => setText(event.currentTarget.value)} />
      <button class="btn small line" type="submit">${t("studio.simulate_go")}</button></form>
    <div role="status">${read?.ok && html`<${Reading} read=${read} />`}
    ${read && !read.ok && html`<p class="bad">${errorText(read.error)}</p>`}</div></div>`;
}

const parts = partsOf("studio", { ...kindPage, live, command });
const TOOLS = { course: Course, lines: Lines, obs: Encoder, simulate: Simulator, reread: Reread, ...Object.fromEntries(parts.map((part) => [part.name, part.View])) };
const titleOf = (name) => parts.find((part) => part.name === name)?.title ?? t(`studio.tool_${name}`);
export function Tools() {
  const over = live.show.value.stage === "ended";
  const names = Object.keys(TOOLS).filter((name) => !over || !OF_A_SHOW_TO_COME.includes(name));
  const shown = names.includes(open.value) ? open.value : "course";
  const Tool = TOOLS[shown];
  return html`<section class="tools"><div class="row tabs" role="tablist">${names.map(
    (name) => html`<button key=${name} id=${`tool-${name}`} type="button" role="tab" aria-controls="tool-panel" aria-selected=${shown === name}
      onClick=${() => (open.value = name)}>${titleOf(name)}</button>`,
  )}</div><div id="tool-panel" class="panel" role="tabpanel" aria-labelledby=${`tool-${shown}`}><${Tool} /></div></section>`;
}
export const ShareButton = ({ url }) => html`<button class="btn small line" type="button" onClick=${() => copy(url)}>
  <${Icon} name="share" />${t("studio.share")}</button>`;
