// The viewers' lines as the relay and their own pages see them: how many are troubled, and the ten worst.
import { count, knows, t } from "../shared/i18n.js";
import { html } from "../shared/ui.js";
import { report } from "./stage.js";

const LOSSY = 0.05; // as the relay counts `viewers_lossy`
const FROZEN_MS = 5000;

/** Kilobits a second to a viewer from the octets of two reports; null where the one before did not have it. */
function rate(one) {
  const { at, before } = report.value;
  const last = before.worst_viewers?.find(({ session }) => session === one.session);
  return last ? (8 * (one.octets - last.octets)) / (at - before.at) : null;
}

function megabits(kbps) {
  return kbps === null ? "–" : `${(kbps / 1000).toFixed(1)} Mbps`;
}

function Line({ one }) {
  const kbps = rate(one);
  const isBad = one.loss > LOSSY || one.frozen_ms > FROZEN_MS;
  const layer = knows(`studio.layer_${one.layer}`) ? t(`studio.layer_${one.layer}`) : `${one.height}p`;
  return html`<tr class=${isBad ? "bad" : ""}><th scope="row">${one.session}</th>
    <td>${(100 * one.loss).toFixed(1)} %</td><td>${one.rtt_ms === null ? "–" : `${Math.round(one.rtt_ms)} ms`}</td>
    <td>${megabits(kbps)}</td><td>${megabits(one.estimate_kbps)}</td><td>${layer}${one.transport === "tcp" ? " · TCP" : ""}</td>
    <td>${count(one.freezes)}${one.frozen_ms > 0 && ` · ${(one.frozen_ms / 1000).toFixed(1)} s`}</td></tr>`;
}

export function Lines() {
  const { stream, worst_viewers: worst } = report.value ?? {};
  if (!stream) return html`<p class="muted">${t("studio.lines_none")}</p>`;
  return html`<div class="tool lines-of-viewers">
    <p>${t("studio.lines_sum", { n: count(stream.viewers), lossy: count(stream.viewers_lossy), sound: count(stream.viewers_sound_only), freezes: count(stream.freezes) })}</p>
    ${worst.length > 0 && html`<div class="scroll" tabindex="0"><table><caption class="sr">${t("studio.tool_lines")}</caption>
      <thead><tr>${["session", "loss", "rtt", "rate", "estimate", "layer", "freezes"].map((name) => html`<th key=${name} scope="col">${t(`studio.line_${name}`)}</th>`)}</tr></thead>
      <tbody>${worst.map((one) => html`<${Line} key=${one.session} one=${one} />`)}</tbody></table></div>`}
    <p class="muted">${t("studio.lines_how")}</p></div>`;
}
