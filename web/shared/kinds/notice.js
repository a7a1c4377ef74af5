// The notice above the chat: a banner for viewers, a form for staff.
import { addKind } from "../kinds.js";

const LENGTH_MAX = 300; // as on the server

const words = {
  "zh-TW": {
    "notice.title": "公告",
    "notice.label": "顯示在觀眾畫面上方",
    "notice.put": "公告",
    "notice.drop": "撤下",
    "notice.done": "公告好了",
    "notice.gone": "公告撤下了",
    "notice.key": "寫公告",
    "control.do_notice": "公告",
  },
  en: {
    "notice.title": "Notice",
    "notice.label": "Shown at the top of the viewers' page",
    "notice.put": "Show",
    "notice.drop": "Take down",
    "notice.done": "Notice is up",
    "notice.gone": "Notice taken down",
    "notice.key": "write a notice",
    "control.do_notice": "put up a notice",
  },
};

const banner = ({ html, useState, live }) => ({
  // Folded to two lines, whole when pressed: a long one would take the room of what is sold.
  View() {
    const [whole, setWhole] = useState(false);
    return live.notice.value && html`<button class="banner notice" type="button" dir="auto" aria-expanded=${whole} onClick=${() => setWhole(!whole)}><span>${live.notice.value}</span></button>`;
  },
});

function form({ html, t, useState, live, command }) {
  function View({ close }) {
    const [text, setText] = useState(live.notice.value ?? "");
    const put = async (event) => {
      event.preventDefault();
      if (await command("notice", { text: text.trim() || null }, t("notice.done"))) close?.();
    };
    const drop = async () => {
      if (!(await command("notice", { text: null }, t("notice.gone")))) return;
      setText("");
      close?.();
    };
    return html`<form class="stack" onSubmit=${put}>
      <label class="field"><span>${t("notice.label")}</span>
        <textarea class="input" rows="3" maxlength=${LENGTH_MAX} value=${text} autofocus=${!!close} onInput=${(event) => setText(event.currentTarget.value)}></textarea>
        </label>
      <div class="row">
        <button class="btn dark grow" type="submit" disabled=${!text.trim()}>${t("notice.put")}</button>
        ${live.notice.value && html`<button class="btn line" type="button" onClick=${drop}>${t("notice.drop")}</button>`}</div></form>`;
  }
  return {
    View,
    key: "n",
    get title() {
      return t("notice.title");
    },
    get help() {
      return t("notice.key");
    },
    get on() {
      return !!live.notice.value;
    },
  };
}

addKind({ name: "notice", changes: { notice: (state, event) => ({ ...state, notice: event.text }) }, words, banner, sheet: form, studio: form });
