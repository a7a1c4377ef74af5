// The chat: lines with their claims, what is being sent, the composer, and a throttled voice for screen readers.
import { errorText, isGuest, locale, person, t, timeOfDay } from "../shared/i18n.js";
import { serverNow, Icon, html, signal, useEffect, useLayoutEffect, useMemo, useRef } from "../shared/ui.js";
import { claimMark, labelOf } from "../shared/verdict.js";
import { ClaimButton } from "./card.js";
import { lineKey } from "../shared/kinds.js";
import { comment, draft, forget, live, myName, outbox, retry, seen, sheet } from "./room.js";

const LINES_SHOWN = 60;
const SPEAK_EVERY_MS = 4000;

// A line that did not change gives the same vnode, which Preact then leaves alone: twenty frames a second stay cheap.
function Line({ line, mine, claims }) {
  return useMemo(() => lineView(line, mine, claims), [line, mine, claims, locale.value, mine && myName()]);
}
/** An order by the button: what was done, and of which product. */
function pressed(claim, mark) {
  const done = t(mark?.kind === "warn" ? "watch.queued" : "watch.claimed");
  return claim ? `${done} ${labelOf(claim, live.item((claim.code ?? claim.sku).split("/")[0]))}` : done;
}
function lineView(line, mine, claims) {
  const mark = claimMark(claims);
  return html`<li class=${`line ${line.kind} ${mine ? "mine" : ""} ${mark?.kind ?? ""}`}>
    <b><bdi>${person(mine && isGuest(line.name) ? myName() : line.name)}</bdi></b> <bdi>${line.kind === "claim" ? pressed(claims?.[0], mark) : line.text}</bdi>${mark && html` <span class="mark">${mark.text}</span>`}
  </li>`;
}

function Pending({ one }) {
  if (one.status === "sending") return html`<li class="line mine sending">
    <b><bdi>${person(myName())}</bdi></b> <bdi>${one.text}</bdi> <span class="mark">${t("watch.sending")}</span></li>`;
  return html`<li class="line mine failed" role="alert"><b><bdi>${person(myName())}</bdi></b> <bdi>${one.text}</bdi><span class="why">${errorText(one.error)}
    <button class="link" type="button" onClick=${() => retry(one.id)}>${t("common.retry")}</button> ${
      // what may have arrived cannot be discarded
      one.error.code !== "no_answer" && html`<button class="link" type="button" onClick=${() => forget(one.id)}>${t("watch.drop")}</button>`}
      </span></li>`;
}

// Speaks at most every four seconds: one comment as it is, more as a number.
const spoken = signal("");
let waiting = [];
live.listen((events) => {
  for (const event of events) if (event.t === "chat" && event.by !== live.me.peek()?.by) waiting.push(event);
  if (waiting.length > 500) waiting = waiting.slice(-500); // a burst is read as a number anyway
});
setInterval(() => {
  if (waiting.length) spoken.value = waiting.length === 1 ? `${person(waiting[0].name)}: ${waiting[0].text}` : t("watch.new_comments", { n: waiting.length });
  waiting = [];
}, SPEAK_EVERY_MS);

const behind = signal(false); // scrolled up, so new lines do not pull the list down

export function Chat() {
  const box = useRef(null);
  const top = useRef(0); // where the list was scrolled to last
  const lines = live.lines.value.filter((line) => !line.hidden).slice(-LINES_SHOWN);
  const me = live.me.value?.by;
  const own = lines.filter((line) => line.by === me).map((line) => line.id);
  const pending = outbox.value.filter((one) => !own.includes(one.id));
  const down = () => {
    box.current.scrollTop = box.current.scrollHeight;
    top.current = box.current.scrollTop;
    behind.value = false;
  };
  const stay = () => behind.peek() || down(); // who was at the end stays there
  useLayoutEffect(() => void stay());
  useLayoutEffect(down, [pending.length, own.at(-1)]); // one's own line is seen
  useEffect(() => {
    const watched = new ResizeObserver(stay);
    watched.observe(box.current);
    return () => watched.disconnect();
  }, []);
  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current;
    const away = scrollHeight - scrollTop - clientHeight > 48;
    if (!away || scrollTop < top.current) behind.value = away; // lines may have come since we went down
    top.current = scrollTop;
  };
  return html`<section class="chat" aria-label=${t("common.chat")}>
    <div ref=${box} class="lines" role="log" aria-live="off" tabindex="0" aria-label=${t("common.chat")} onScroll=${scrolled}><ol>
      ${lines.map((line) => html`<${Line} key=${lineKey(line)} line=${line} mine=${line.by === me} claims=${live.claims.value.get(lineKey(line))} />`)}
      ${pending.map((one) => html`<${Pending} key=${one.id} one=${one} />`)}
    </ol></div>
    ${behind.value && html`<button class="chip newer" type="button" onClick=${down}>${t("watch.newest")} <${Icon} name="down" /></button>`}
    <p class="sr" aria-live="polite">${spoken.value}</p>
  </section>`;
}

let asked = null; // the draft that waits for a name, with what was on the screen when it was sent

export function Composer() {
  const input = useRef(null);
  const me = live.me.value;
  const muted = me?.muted_until > serverNow() ? t("watch.muted_until", { time: timeOfDay(me.muted_until) }) : null;
  const send = () => {
    const text = draft.value.trim();
    if (!text) return;
    if (!myName()) {
      asked = { text, was: seen() }; // a bare `+1` means what was pinned at this moment, not what comes meanwhile
      sheet.value = "name"; // asked once; the draft is sent as soon as it is given
      return;
    }
    draft.value = "";
    comment(text);
  };
  const submit = (event) => {
    event.preventDefault();
    send();
    input.current.focus();
  };
  if (me?.banned) return html`<div class="card banned" role="alert"><strong>${t("watch.banned")}</strong><p>${t("watch.banned_hint")}</p></div>`;
  return html`<form class="composer" onSubmit=${submit}>
    <div class="entry">
      <input ref=${input} class="grow" value=${draft.value} maxlength="200" disabled=${!!muted} enterkeyhint="send" autocomplete="off" autocapitalize="off"
      aria-label=${t("watch.composer")} placeholder=${muted ?? t("watch.composer")} onInput=${(event) => (draft.value = event.currentTarget.value)} />
      ${draft.value.trim() && html`<button class="icon send" type="submit" aria-label=${t("watch.send")}><${Icon} name="send" /></button>`}</div>
    <${ClaimButton} />
  </form>`;
}
export function sendDraft() {
  const text = draft.value.trim();
  draft.value = "";
  if (text) comment(text, asked?.text === text ? asked.was : seen());
  asked = null;
}
