// The chat under the keys: J/K move, H hides, M mutes, B removes, Z takes the last thing back.
import { locale, person, t, timeOfDay } from "../shared/i18n.js";
import { lineKey } from "../shared/kinds.js";
import { live } from "../shared/staff.js";
import { Icon, html, useEffect, useLayoutEffect, useMemo, useRef } from "../shared/ui.js";
import { claimMark } from "../shared/verdict.js";
import { ban, buyer, counts, cursor, filter, isHidden, lines, mark, mute, side, tab, toggleHide } from "./desk.js";

const TAGS = { question: ["ask", "staff.verdict_question"], unclear: ["warn", "control.waiting_tag"], change: ["ok", "staff.verdict_change"] };

function tagOf(line, claims) {
  if (isHidden(line)) return ["bad", t("control.hidden_tag")];
  if (line.held) return ["warn", t("control.held_tag")];
  const claim = claimMark(claims, line);
  if (claim) return [claim.kind === "none" ? "" : claim.kind, claim.text];
  if (line.kind !== "viewer" && line.kind !== "claim") return ["", t(`control.kind_${line.kind}`)];
  const known = TAGS[line.verdict];
  return known ? [known[0], t(known[1])] : null;
}

function Actions({ line }) {
  if (!line.viewer) return null;
  const card = () => {
    buyer.value = line.viewer;
    side.value = "buyer";
    tab.value = "side";
  };
  return html`<div class="row wrap actions">
    ${line.kind !== "claim" && html`<button class="btn small line" type="button"
      onClick=${() => toggleHide(line)}>${t(line.held ? "control.release" : isHidden(line) ? "control.show" : "control.hide")} <kbd>H</kbd>
      </button>`}
    <button class="btn small line" type="button" onClick=${() => mute(line.viewer, line.name)}>${t("control.mute")} <kbd>M</kbd></button>
    <button class="btn small line" type="button" onClick=${() => ban(line.viewer, line.name)}>${t("control.ban")} <kbd>B</kbd></button>
    <button class="btn small line phone" type="button" onClick=${card}>${t("control.buyer")}</button>
  </div>`;
}

function Line({ line, claims, chosen }) {
  const row = useRef(null);
  useEffect(() => {
    if (chosen) row.current.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const gone = isHidden(line);
  // The same vnode for an unchanged line: four hundred of them stay cheap at twenty frames a second.
  return useMemo(() => lineView(row, line, tagOf(line, claims), chosen, gone), [line, claims, chosen, gone, locale.value]);
}
function lineView(row, line, tag, chosen, gone) {
  return html`<li ref=${row} class=${`line ${chosen ? "chosen" : ""} ${gone ? "gone" : ""} ${line.kind}`}>
    <button class="face" type="button" aria-current=${chosen ? "true" : null} onClick=${() => mark(chosen ? null : line)}>
      <time class="muted">${timeOfDay(line.at, true)}</time><b class="cut"><bdi>${person(line.name)}</bdi></b>
        <span class="text" dir="auto">${line.kind === "claim" ? t("control.kind_claim") : line.text}</span>${tag && html`<span class=${`tag ${tag[0]}`}>${tag[1]}</span>`}
    </button>
    ${chosen && html`<${Actions} line=${line} />`}
  </li>`;
}

const FILTERS = ["all", "orders", "questions", "held", "hidden"];

export function Chat() {
  const box = useRef(null);
  const shown = lines.value;
  useLayoutEffect(() => {
    if (!cursor.value) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.at(-1)?.id, cursor.value, filter.value]);
  return html`<section class="chat" aria-label=${t("common.chat")}>
    <div class="row wrap head">
      <div class="row filters" role="group" aria-label=${t("control.filter")}>${FILTERS.map(
        (name) => html`<button key=${name} class="pick" type="button" aria-pressed=${filter.value === name}
          onClick=${() => (filter.value = name)}>${t(`control.filter_${name}`)}${counts.value[name] ? html` <i>${counts.value[name]}</i>` : ""}</button>`,
      )}</div><span class="grow"></span>
      <span class="muted keys">
        <kbd>J</kbd> <kbd>K</kbd> ${t("control.key_move")} <kbd>H</kbd> ${t("control.hide")} <kbd>M</kbd> ${t("control.mute")} <kbd>Z</kbd> ${t("common.undo")}</span>
    </div>
    <div class="scroll"><div ref=${box} class="lines" role="log" aria-live="off" tabindex="0" aria-label=${t("common.chat")}><ol>
      ${shown.map((line) => html`<${Line} key=${lineKey(line)} line=${line} claims=${live.claims.value.get(lineKey(line))} chosen=${lineKey(line) === cursor.value} />`)}
      ${shown.length === 0 && html`<li class="empty">${t(`control.empty_${filter.value}`)}</li>`}
    </ol></div>${cursor.value && html`<button class="btn small dark newer" type="button" onClick=${() => (cursor.value = null)}>
      <${Icon} name="down" />${t("control.follow")} <kbd>Esc</kbd></button>`}</div>
  </section>`;
}
