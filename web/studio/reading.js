// How the parser read a comment, in words: verdict, reason and what it would do.
import { knows, nameOf, t } from "../shared/i18n.js";
import { live } from "../shared/staff.js";
import { html } from "../shared/ui.js";

const KINDS = { order: "ok", change: "ok", unclear: "warn", question: "ask" };

function Intent({ intent }) {
  const item = intent.code && live.item(intent.code);
  const options = (Array.isArray(intent.options) ? intent.options : Object.values(intent.options ?? {})).join(" ");
  const quantity = intent.qty ?? intent.quantity;
  return html`<li>
    <b>${t(`studio.do_${intent.do ?? "reserve"}`)}</b> ${intent.code ?? t("studio.latest")} ${item ? nameOf(item) : ""} ${options}${quantity ? ` × ${quantity}` : ""}${intent.to_code ? ` → ${intent.to_code} ${(intent.to_options ?? []).join(" ")}` : ""}</li>`;
}

export function Reading({ read }) {
  return html`<p>
    <span class=${`tag ${KINDS[read.verdict] ?? ""}`}>${t(`staff.verdict_${read.verdict}`)}</span> <span class="muted">${knows(`reason.${read.reason}`) ? t(`reason.${read.reason}`) : read.reason}</span>
    </p>
    ${read.heard && html`<p class="muted">${t("studio.heard", { words: read.heard })}</p>`}
    <ul class="intents">${(read.intents ?? []).map((intent, index) => html`<${Intent} key=${index} intent=${intent} />`)}</ul>`;
}
