// The show's comments read again with today's grammar, names and words: what would change. Nothing is ordered here.
import { errorText, person, t, timeOfDay } from "../shared/i18n.js";
import { call, sitePath } from "../shared/api.js";
import { live, showId } from "../shared/staff.js";
import { html, signal } from "../shared/ui.js";
import { Reading } from "./reading.js";

const found = signal(null); // {read, differences, next}: of all pages read so far
const busy = signal(false);
const problem = signal(null);

async function read(before) {
  busy.value = true;
  const answer = await call("GET", `/api/shows/${showId}/reparse${before ? `?after=${before.next}` : ""}`);
  busy.value = false;
  problem.value = answer.ok ? null : answer.error;
  if (answer.ok) found.value = { read: (before?.read ?? 0) + answer.read, differences: [...(before?.differences ?? []), ...answer.differences], next: answer.next };
}

function Difference({ one, waits }) {
  return html`<li><p><span class="muted">${timeOfDay(one.at, true)} · <bdi>${person(one.name)}</bdi></span> <b dir="auto">${one.text}</b></p>
    <div class="then"><span class="muted">${t("studio.reread_then")}</span><div><${Reading} read=${one.before} /></div>
      <span class="muted">${t("studio.reread_now")}</span><div><${Reading} read=${one.after} /></div></div>
    ${waits && html`<a class="btn small line" href=${sitePath(`/control/${showId}`)}>${t("studio.reread_triage")}</a>`}</li>`;
}

export function Reread() {
  const all = found.value;
  const waiting = new Set((live.state.value?.triage ?? []).map((one) => one.comment));
  return html`<div class="tool reread"><p class="muted">${t("studio.reread_how")}</p>
    <div class="row wrap"><button class="btn small line" type="button" disabled=${busy.value} onClick=${() => read(null)}>${t("studio.reread_go")}</button>
      <span role="status">${busy.value ? t("studio.reread_busy") : all && t("studio.reread_count", { n: all.read, changed: all.differences.length })}</span></div>
    ${problem.value && html`<p class="bad" role="alert">${errorText(problem.value)}</p>`}
    ${all && !all.next && all.differences.length === 0 && html`<p class="muted">${t("studio.reread_same")}</p>`}
    <ul class="differences">${all?.differences.map((one) => html`<${Difference} key=${one.comment} one=${one} waits=${waiting.has(one.comment)} />`)}</ul>
    ${all?.next && html`<button class="btn small line" type="button" disabled=${busy.value} onClick=${() => read(all)}>${t("studio.reread_more")}</button>`}</div>`;
}
