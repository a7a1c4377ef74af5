// The chat, readable from two metres: claims carry a jade edge, questions a blue one.
import { locale, person, t } from "../shared/i18n.js";
import { lineKey } from "../shared/kinds.js";
import { command, live } from "../shared/staff.js";
import { Icon, html, signal, useLayoutEffect, useMemo, useRef, useState } from "../shared/ui.js";
import { claimMark } from "../shared/verdict.js";

const LINES_SHOWN = 80;
const onlyQuestions = signal(false);
const behind = signal(false);

// The same vnode for an unchanged line: Preact leaves it alone.
function Line({ line, claims }) {
  return useMemo(() => lineView(line, claims), [line, claims, locale.value]);
}
function lineView(line, claims) {
  const mark = claimMark(claims, line);
  const kind = mark && mark.kind !== "none" ? (mark.kind === "warn" ? "waits" : "claim") : line.verdict === "question" ? "q" : "";
  return html`<li class=${`${line.kind} ${kind}`}>
    <b><bdi>${person(line.name)}</bdi></b> <bdi>${line.kind === "claim" ? t(mark?.kind === "warn" ? "studio.queued" : "studio.claimed") : line.text}</bdi>${
    mark && html` <span class=${`mark ${mark.kind}`}>${mark.text}</span>`
  }</li>`;
}

export function Chat() {
  const box = useRef(null);
  const top = useRef(0); // where the list was scrolled to last
  const [text, setText] = useState("");
  const hidden = new Set(live.state.value?.hidden ?? []); // what a moderator took away is not read out either
  const all = live.lines.value.filter((line) => !hidden.has(line.id) && !line.held);
  const questions = all.filter((line) => line.verdict === "question");
  const lines = (onlyQuestions.value ? questions : all).slice(-LINES_SHOWN);
  const down = () => {
    box.current.scrollTop = box.current.scrollHeight;
    top.current = box.current.scrollTop;
    behind.value = false;
  };
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const away = scrollHeight - scrollTop - clientHeight > 60;
    if (!away || scrollTop < top.current) behind.value = away; // lines may have come since we went down
    top.current = scrollTop;
  };
  useLayoutEffect(() => {
    if (!behind.peek()) down();
  }, [lines.at(-1)?.id, live.claims.value]);
  const say = async (event) => {
    event.preventDefault();
    if (text.trim() && (await command("say", { text: text.trim() }))) setText("");
  };
  return html`<section class="chat" aria-label=${t("common.chat")}>
    <div class="row head"><h2>${t("common.chat")}</h2><span class="grow"></span>
      <button class="chip filter" type="button" aria-pressed=${onlyQuestions.value}
        onClick=${() => (onlyQuestions.value = !onlyQuestions.value)}>${t("studio.questions", { n: questions.length })}</button>
        </div>
    <div class="scroll">
      <div ref=${box} class="lines" role="log" aria-live="off" tabindex="0"
        aria-label=${t("common.chat")} onScroll=${scrolled}>
      <ol>
      ${lines.map((line) => html`<${Line} key=${lineKey(line)} line=${line} claims=${live.claims.value.get(lineKey(line))} />`)}
    </ol></div>${behind.value && html`<button class="chip newer" type="button" onClick=${down}>${t("studio.newest")} <${Icon} name="down" />
      </button>`}</div>
    <form class="row say" onSubmit=${say}>
      <input class="input grow" value=${text} maxlength="500" placeholder=${t("studio.say")} aria-label=${t("studio.say")}
        onInput=${(event) => setText(event.currentTarget.value)} />
      <button class="btn line" type="submit" disabled=${!text.trim()}>${t("studio.send")}</button></form>
  </section>`;
}
